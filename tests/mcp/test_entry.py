"""What every call passes first: the host, the method, the token and its budget, the size of the body."""

import asyncio
from typing import Any

import httpx2
import pytest
from mcp import MCPError

from mission_control.core import limits, times
from mission_control.core.settings import Settings
from mission_control.mcp._server import security
from mission_control.people.models import Token
from tests.cast import Cast, events, head
from tests.mcp.clients import ERAS, URL, called, connected, http, post, posted, secret_of

LIST = posted("tools/list")
NOBODY = "mca_" + "0" * 43


def refused(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """The refusal of an HTTP request, as JSON-RPC carries it."""
    body = answer.json()
    assert answer.status_code == status == body["error"]["data"]["status"], body
    assert body["jsonrpc"] == "2.0" and body["id"] is None
    assert body["error"]["data"]["request_id"] == answer.headers["X-Request-Id"]
    data: dict[str, Any] = body["error"]["data"]
    return data


@pytest.mark.parametrize("header", ["Authorization", "X-Agent-Token"])
async def test_both_headers_authenticate_an_agent(cast: Cast, header: str) -> None:
    value = f"Bearer {cast.vega.secret}" if header == "Authorization" else cast.vega.secret
    answer = await post(cast.app, "", LIST, headers={"Authorization": "", header: value})
    assert answer.status_code == 200 and answer.json()["result"]["tools"]


@pytest.mark.parametrize("secret", ["", NOBODY, "mcu_" + "0" * 48])
async def test_unknown_tokens_are_refused(cast: Cast, secret: str) -> None:
    answer = await post(cast.app, secret, LIST)
    message = refused(answer, 401)["message"]
    assert "Authorization: Bearer" in message and "personal token" in message
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_person_is_told_which_header_a_personal_token_goes_in(cast: Cast) -> None:
    answer = await post(cast.app, "", LIST, headers={"Authorization": "", "X-Agent-Token": secret_of(cast.ada)})
    assert "token of a person" in refused(answer, 401)["message"]
    assert (await post(cast.app, secret_of(cast.ada), LIST)).status_code == 200


async def test_revoked_personal_token_is_refused(cast: Cast) -> None:
    await Token.filter(user_id=cast.dan.id).update(revoked_at=times.clock_now())
    refused(await post(cast.app, secret_of(cast.dan), LIST), 401)


async def test_refusal_waits_for_its_call(cast: Cast) -> None:
    headers = {"Authorization": f"Bearer {NOBODY}", "Transfer-Encoding": "chunked"}
    async with cast.app.test_client().request("/mcp", method="POST", headers=headers) as connection:
        await connection.send(b'{"jsonrpc": "2.0", ')
        answer = asyncio.create_task(connection.receive())
        await asyncio.sleep(0.2)
        assert not answer.done()
        await connection.send_complete()
        await answer
    assert (await connection.as_response()).status_code == 401


async def test_revoked_agent_token_is_refused(cast: Cast) -> None:
    async with connected(cast.vega) as vega:
        assert await vega.names()
        [token] = (await cast.ada.get(f"/agents/{cast.vega.id}/tokens")).ok()["items"]
        (await cast.ada.delete(f"/agents/{cast.vega.id}/tokens/{token['id']}")).ok()
        with pytest.raises(MCPError, match="401"):
            await vega.call("recall")


async def test_wrong_tokens_block_an_address_but_not_its_valid_tokens(cast: Cast) -> None:
    for _ in range(limits.unknown_tokens.count):
        refused(await post(cast.app, NOBODY, LIST), 401)
    answer = await post(cast.app, NOBODY, LIST)
    refused(answer, 429)
    assert int(answer.headers["Retry-After"]) > 0
    assert (await post(cast.app, cast.vega.secret, LIST)).status_code == 200


async def test_rate_limit_applies_to_mcp(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.agent_requests, "per_minute", 3)
    left = [(await post(cast.app, cast.vega.secret, LIST)).headers["RateLimit-Remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    over = await post(cast.app, cast.vega.secret, LIST)
    assert refused(over, 429)["code"] == "rate_limited"
    assert over.headers["RateLimit-Limit"] == "3" and int(over.headers["Retry-After"]) > 0
    assert (await cast.vega.get("/agent/healthz")).status == 429
    assert (await post(cast.app, cast.rigel.secret, LIST)).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PUT", "OPTIONS"])
async def test_only_post_is_accepted(cast: Cast, method: str) -> None:
    async with http(cast.app, cast.vega.secret) as client:
        answer = await client.request(method, URL)
    assert answer.headers["Allow"] == "POST" and answer.status_code == 405
    assert method == "HEAD" or refused(answer, 405)


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "127.0.0.1:1", "localhost", "localhost:9999", "[::1]:8000"])
async def test_local_hosts_are_accepted_at_any_port(cast: Cast, host: str) -> None:
    assert (await post(cast.app, cast.vega.secret, LIST, url=f"http://{host}/mcp")).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example"])
async def test_foreign_host_is_refused(cast: Cast, host: str) -> None:
    answer = await post(cast.app, cast.vega.secret, LIST, url=f"http://{host}/mcp")
    assert "BASE_URL" in refused(answer, 421)["message"]


@pytest.mark.parametrize(("origin", "status"), [("http://localhost:3000", 200), ("https://evil.example", 403)])
async def test_foreign_origins_are_refused(cast: Cast, origin: str, status: int) -> None:
    assert (await post(cast.app, cast.vega.secret, LIST, headers={"Origin": origin})).status_code == status


def test_public_address_is_accepted() -> None:
    known = security(Settings.from_environment({"BASE_URL": "https://Mission.example.org", "HOST": "10.1.2.3"}))
    assert {"mission.example.org", "mission.example.org:443", "10.1.2.3:*"} <= set(known.allowed_hosts)
    assert "https://mission.example.org" in known.allowed_origins
    assert "http://mission.example.org" not in known.allowed_origins
    everywhere = security(Settings.from_environment({"HOST": "0.0.0.0", "BASE_URL": "http://mission.example.org:8080"}))
    assert "mission.example.org:8080" in everywhere.allowed_hosts
    assert not any(host.startswith("0.0.0.0") for host in everywhere.allowed_hosts)


async def test_body_limit_applies_to_mcp(cast: Cast, settings: Settings) -> None:
    large = posted("tools/call", name="remember", arguments={"content": "x" * settings.max_body_bytes})
    refused(await post(cast.app, cast.vega.secret, large), 413)


@pytest.mark.parametrize(("content", "kind", "status"), [(b"{", "application/json", 400), (b"{}", "text/plain", 400)])
async def test_invalid_json_is_refused(cast: Cast, content: bytes, kind: str, status: int) -> None:
    headers = {"Content-Type": kind, "Accept": "application/json"}
    answer = await post(cast.app, cast.vega.secret, None, content=content, headers=headers)
    assert answer.status_code == status and answer.json()["error"]


async def test_responses_carry_common_headers(cast: Cast) -> None:
    answer = await post(cast.app, cast.vega.secret, LIST, headers={"X-Request-Id": "mine"}, url=f"{URL}/")
    assert answer.headers["X-Request-Id"] == "mine"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("era", ERAS)
async def test_events_name_surface_and_request(cast: Cast, era: str) -> None:
    before = await head(cast)
    body, headers = called(era, "remember", {"content": "The mirror is clean."})
    async with http(cast.app, cast.vega.secret) as client:
        answer = await client.post(URL, content=body, headers=[*headers, (b"x-request-id", era.encode())])
    assert answer.json()["result"]["structuredContent"]["content"] == "The mirror is clean.", answer.text
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.surface, event.actor_id) == ("memory.created", "mcp", cast.vega.id)
    assert event.request_id == era
