"""HTTP middleware: ids, headers, limits, proxies, slashes, compression, CORS, health."""

import asyncio
import gzip
import re

import pytest
from quart import Quart

from mission_control.http import middleware
from mission_control.http.proxies import first_untrusted
from tests.tiny_app import settings_with, tiny_app

GZIP = {"Accept-Encoding": "gzip, br"}


@pytest.mark.parametrize(("sent", "kept"), [("abc-123_4.5", "abc-123_4.5"), ("  padded ", "padded")])
async def test_client_request_id_is_used(sent: str, kept: str) -> None:
    response = await tiny_app().test_client().get("/seen", headers={"X-Request-Id": sent})
    assert response.headers["X-Request-Id"] == kept
    assert (await response.get_json())["request_id"] == kept


@pytest.mark.parametrize("sent", ["", " ", "x" * 65, "tab\there", "na\u00efve", "abc 123", 'x" status_code=200', "a/b"])
async def test_invalid_request_id_is_replaced(sent: str) -> None:
    response = await tiny_app().test_client().get("/seen", headers={"X-Request-Id": sent})
    assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-Id"])


@pytest.mark.parametrize("path", ["/seen", "/boom", "/nowhere", "/stream", "/healthz"])
async def test_every_answer_carries_id_and_security_headers(path: str) -> None:
    headers = (await tiny_app().test_client().get(path)).headers
    assert headers["X-Request-Id"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Permissions-Policy" not in headers and "Strict-Transport-Security" not in headers


async def test_answers_over_https_ask_for_it_from_then_on() -> None:
    for value, header in (("max-age=31536000", "max-age=31536000"), ("", None)):
        app = tiny_app(SECURITY_HEADER_STRICT_TRANSPORT_SECURITY=value)
        assert (await app.test_client().get("/seen", scheme="https")).headers.get("Strict-Transport-Security") == header


async def test_security_headers_are_configurable() -> None:
    app = tiny_app(SECURITY_HEADER_X_FRAME_OPTIONS="", SECURITY_HEADER_PERMISSIONS_POLICY="camera=()")
    headers = (await app.test_client().get("/seen")).headers
    assert "X-Frame-Options" not in headers
    assert headers["Permissions-Policy"] == "camera=()"


async def test_large_responses_are_compressed_if_accepted() -> None:
    response = await tiny_app().test_client().get("/page?size=300000", headers=GZIP)
    body = await response.get_data(as_text=False)
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Content-Length"] == str(len(body))
    assert gzip.decompress(bytes(body)) == b"x" * 300000


@pytest.mark.parametrize(("path", "headers"), [("/page?size=9999", {}), ("/page?size=9", GZIP), ("/stream", GZIP)])
async def test_small_responses_and_streams_are_not_compressed(path: str, headers: dict[str, str]) -> None:
    response = await tiny_app().test_client().get(path, headers=headers)
    assert "Content-Encoding" not in response.headers


async def test_compressible_responses_vary_by_encoding() -> None:
    headers = (await tiny_app().test_client().get("/page")).headers
    assert "Accept-Encoding" in headers["Vary"]
    assert "Vary" not in (await tiny_app().test_client().get("/stream")).headers


@pytest.mark.parametrize(("size", "status"), [(100, 200), (101, 413)])
async def test_body_size_is_limited(size: int, status: int) -> None:
    client = tiny_app(MAX_BODY_BYTES="100").test_client()
    assert (await client.post("/echo", data=b"x" * size)).status_code == status


async def test_body_size_is_limited_without_content_length() -> None:
    client = tiny_app(MAX_BODY_BYTES="100").test_client()
    async with client.request("/echo", method="POST", headers={"Transfer-Encoding": "chunked"}) as connection:
        for _ in range(3):
            await connection.send(b"x" * 60)
        await connection.send_complete()
        await connection.receive()
    assert (await connection.as_response()).status_code == 413


async def test_refusal_waits_for_the_request_body() -> None:
    client = tiny_app().test_client()
    async with client.request("/nowhere", method="POST", headers={"Transfer-Encoding": "chunked"}) as connection:
        await connection.send(b"a file that nobody reads")
        answer = asyncio.create_task(connection.receive())
        await asyncio.sleep(0.2)
        assert not answer.done()
        await connection.send_complete()
        await answer
    assert (await connection.as_response()).status_code == 404


async def seen(app: Quart, headers: dict[str, str], peer: str = "10.0.0.1") -> dict[str, str]:
    response = await app.test_client().get("/seen", headers=headers, scope_base={"client": (peer, 1)})
    found: dict[str, str] = await response.get_json()
    return found


async def test_forwarding_headers_of_untrusted_peers_are_ignored() -> None:
    headers = {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    for app in (tiny_app(), tiny_app(TRUSTED_PROXIES="10.9.0.0/16")):
        found = await seen(app, headers)
        assert (found["client"], found["scheme"], found["host"]) == ("10.0.0.1", "http", "localhost")


async def test_trusted_proxy_sets_client_scheme_and_host() -> None:
    headers = {
        "X-Forwarded-For": "6.6.6.6, 1.2.3.4, 10.0.0.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "mc.example",
    }
    found = await seen(tiny_app(TRUSTED_PROXIES="10.0.0.0/8"), headers)
    assert (found["client"], found["scheme"], found["host"]) == ("1.2.3.4", "https", "mc.example")


async def test_forwarded_scheme_and_host_are_validated() -> None:
    headers = {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "javascript", "X-Forwarded-Host": "evil/<b>"}
    found = await seen(tiny_app(TRUSTED_PROXIES="10.0.0.0/8"), headers)
    assert (found["client"], found["scheme"], found["host"]) == ("1.2.3.4", "http", "localhost")


async def test_forwarded_header_is_used_without_x_forwarded_for() -> None:
    headers = {"Forwarded": 'for=6.6.6.6, for="[2001:db8::1]:4711";proto=https;host=mc.example'}
    found = await seen(tiny_app(TRUSTED_PROXIES="10.0.0.1"), headers)
    assert (found["client"], found["scheme"], found["host"]) == ("2001:db8::1", "https", "mc.example")


@pytest.mark.parametrize(("hops", "client"), [
    ([], "10.0.0.1"), (["1.2.3.4:55"], "1.2.3.4"), (["10.0.0.7"], "10.0.0.7"), (["1.2.3.4", "garbage"], "10.0.0.1"),
    (["garbage", "1.2.3.4"], "1.2.3.4"), (["::ffff:1.2.3.4"], "1.2.3.4"),
])  # fmt: skip
def test_client_is_the_rightmost_untrusted_hop(hops: list[str], client: str) -> None:
    trusted = settings_with(TRUSTED_PROXIES="10.0.0.0/8").trusted_proxies
    assert first_untrusted(hops, "10.0.0.1", trusted) == client


async def test_trailing_slash_on_the_api_redirects() -> None:
    client = tiny_app().test_client()
    response = await client.get("/api/v1/things/?limit=2")
    assert response.status_code == 307
    assert response.headers["Location"] == "http://localhost/api/v1/things?limit=2"
    assert (await client.post("/api/v1/things/")).status_code == 307
    assert (await client.get("/api/v1/nothing/")).status_code == 404
    assert (await client.get("/page/")).status_code == 200


async def test_double_slashes_are_not_found() -> None:
    client = tiny_app().test_client()
    for path in ("/api/v1//things", "/api//v1/things"):
        response = await client.get(path)
        assert response.status_code == 404 and "Location" not in response.headers


async def test_options_on_the_api_are_refused_but_not_on_pages() -> None:
    client = tiny_app().test_client()
    for response in (await client.options("/api/v1/things"), await client.delete("/api/v1/things")):
        assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert (await client.head("/page")).status_code == 200


async def test_cors_headers_for_a_known_origin() -> None:
    client = tiny_app(CORS_ORIGINS="https://app.example").test_client()
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "PATCH"}
    preflight = await client.options("/nowhere", headers={**asked, "Access-Control-Request-Headers": "x-a"})
    assert (preflight.status_code, await preflight.get_data()) == (200, b"OK")
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    assert preflight.headers["Access-Control-Max-Age"] == "600"
    assert preflight.headers["Access-Control-Allow-Headers"] == "x-a"
    assert preflight.headers["X-Request-Id"]
    for path in ("/seen", "/boom", "/nowhere"):
        headers = (await client.get(path, headers=asked)).headers
        assert headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert headers["Access-Control-Allow-Credentials"] == "true"
        for name in ("X-Request-Id", "RateLimit-Remaining", "Retry-After"):
            assert name in headers["Access-Control-Expose-Headers"]
        assert "Origin" in headers["Vary"]


async def test_no_cors_headers_for_unknown_origins_or_when_off() -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    client = tiny_app(CORS_ORIGINS="https://app.example").test_client()
    preflight = await client.options("/seen", headers=asked)
    assert (preflight.status_code, await preflight.get_data()) == (400, b"Disallowed CORS origin")
    assert "Access-Control-Allow-Origin" not in (await client.get("/seen", headers=asked)).headers
    assert "Vary" not in (await tiny_app().test_client().get("/stream", headers=asked)).headers


async def test_health_needs_nothing_and_readiness_names_problems() -> None:
    client = tiny_app().test_client()
    for path in ("/health", "/healthz"):
        response = await client.get(path)
        assert (response.status_code, await response.get_json()) == (200, {"ok": True})


async def test_readiness_fails_while_stopping() -> None:
    app = tiny_app()
    app.extensions["mission_control.stopping"] = True
    response = await app.test_client().get("/readyz")
    assert response.status_code == 503
    body = await response.get_json()
    assert body["ok"] is False
    assert set(body["checks"]) == {"database", "migrations", "events"}


@pytest.mark.parametrize(("host", "status"), [
    ("mc.example.org", 200), ("MC.example.org:8443", 200), ("127.0.0.1:8000", 200), ("[::1]:8000", 200),
    ("192.0.2.7", 200), ("localhost:8000", 200), ("mission_control:8000", 200), ("nas.local", 200),
    ("evil.org", 421), ("mc.example.org.evil.org", 421), ("127.0.0.1.evil.org:8000", 421), ("evil.org.", 421),
])  # fmt: skip
async def test_pages_are_shown_under_known_names_only(host: str, status: int) -> None:
    known, open_to_all = tiny_app(BASE_URL="https://mc.example.org"), tiny_app()
    for path, expected in (("/page", status), ("/api/v1/things", 200), ("/healthz", 200)):
        answer = await known.test_client().get(path, headers={"Host": host})
        assert answer.status_code == expected or (path == "/healthz" and answer.status_code != 421)
    assert (await open_to_all.test_client().get("/page", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1:8000.evil.org", "localhost:x", "a b", "a/b", "a:123456", "a@b"])
@pytest.mark.parametrize("path", ["/page", "/api/v1/things", "/mcp"])
async def test_malformed_host_is_refused_everywhere(host: str, path: str) -> None:
    answer = await tiny_app().test_client().get(path, headers={"Host": host})
    assert answer.status_code == 400 and "Host" in (await answer.get_json())["detail"]


async def test_only_hosts_that_may_be_names_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "KEPT_HOSTS", 3)
    app = middleware.Application("tests.hosts", static_folder=None)
    app.add_url_rule("/", "root", lambda: "here")
    hosts = [*(f"host{number}.example" for number in range(5)), "a." * 20_000 + "example"]
    for host in hosts:
        assert (await app.test_client().get("/", headers={"Host": host})).status_code == 200
    assert len(app._hosts) <= 3 and max(len(host) for _, host in app._hosts) < 300
