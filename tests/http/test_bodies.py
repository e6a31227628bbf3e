"""Request bodies: who is believed with how much, how many at once, and what an error repeats of them."""

import orjson
import pytest
from quart import Quart

from mission_control.http.body_limit import ANONYMOUS, ANONYMOUS_BYTES, MOST_FIELDS, Busy, bodies
from tests.cast import Caller, Cast
from tests.visitor import Visitor

JSON = {"Content-Type": "application/json"}
PIECE = b"x" * 2**15
OWN = ""  # the address of the test client, which has none


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How much was held after each piece of a body."""
    totals: list[int] = []
    reserve = bodies.reserve

    def noting(source: str, count: int, *, is_large: bool = False) -> None:
        reserve(source, count, is_large=is_large)
        totals.append(bodies.total)

    monkeypatch.setattr(bodies, "reserve", noting)
    return totals


async def sent_in_pieces(app: Quart, path: str, headers: dict[str, str], pieces: int) -> int:
    """The status of a request whose length is not announced."""
    client = app.test_client(use_cookies=False)
    headers = {**headers, "Transfer-Encoding": "chunked"}
    async with client.request(path, method="POST", headers=headers) as connection:
        for _ in range(pieces):
            await connection.send(PIECE)
        await connection.send_complete()
        await connection.receive()
    return (await connection.as_response()).status_code


@pytest.mark.parametrize("size", [10, ANONYMOUS_BYTES])
async def test_small_invalid_json_is_refused_before_authentication(cast: Cast, size: int) -> None:
    answer = await cast.nobody.call("POST", "/boards", headers=JSON, data=b"x" * size)
    assert answer.refused(422)[0]["type"] == "json_invalid"


async def test_large_body_is_read_after_authentication(cast: Cast) -> None:
    large = b"x" * (ANONYMOUS_BYTES + 1)
    (await cast.nobody.call("POST", "/boards", headers=JSON, data=large)).refused(401)
    answer = await cast.ada.call("POST", "/boards", headers=JSON, data=large)
    assert answer.refused(422)[0]["type"] == "json_invalid"


@pytest.mark.parametrize("path", ["/api/v1/boards", "/api/v1/boards/imports", "/nowhere"])
async def test_anonymous_body_is_buffered_only_up_to_a_limit(cast: Cast, held: list[int], path: str) -> None:
    assert await sent_in_pieces(cast.app, path, JSON, 24) in (401, 404)
    assert max(held, default=0) <= ANONYMOUS_BYTES
    assert bodies.total == 0


async def test_authenticated_body_counts_until_it_is_answered(cast: Cast, held: list[int]) -> None:
    assert await sent_in_pieces(cast.app, "/api/v1/boards", JSON | cast.ada.headers, 24) == 422
    assert max(held) == 24 * len(PIECE)
    assert bodies.total == 0


async def test_buffered_bodies_are_limited_per_address(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "most_of_address", 200_000)
    (await cast.ada.post(cast.tasks, {"title": "x", "description": "y" * 140_000})).ok()
    refused = await cast.ada.post(cast.tasks, {"title": "x", "description": "y" * 250_000})
    assert refused.refused(503) == "Too many uploads are under way. Try again in a moment."
    assert refused.headers["Retry-After"]
    assert await sent_in_pieces(cast.app, "/api/v1/boards", JSON | cast.ada.headers, 24) == 503
    assert bodies.total == 0


async def test_buffered_bodies_are_limited_in_total(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "most", 100_000)
    (await cast.ada.post(cast.tasks, {"title": "x", "description": "y" * 150_000})).refused(503)
    bodies.reserve("9.9.9.9", 99_000)
    try:
        (await cast.nobody.call("POST", "/boards", headers=JSON, data=b"x" * 2000)).refused(503)
    finally:
        bodies.release("9.9.9.9", 99_000)


@pytest.mark.parametrize(("limit", "place"), [("most", "9.9.9.9"), ("most_of_address", OWN)])
async def test_large_bodies_do_not_block_small_ones(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, limit: str, place: str
) -> None:
    monkeypatch.setattr(bodies, limit, 400_000)
    with bodies.counted(place) as reserve:
        reserve(290_000)
        (await cast.ada.post(cast.tasks, {"title": "x", "description": "y" * 70_000})).refused(503)
        (await cast.ada.post(cast.tasks, {"title": "x", "description": "y" * 60_000})).ok()
        with pytest.raises(Busy):
            reserve(20_000)
    assert bodies.total == 0


async def test_body_may_arrive_byte_by_byte(cast: Cast) -> None:
    body = orjson.dumps({"title": "x" * 40})
    headers = {**JSON, **cast.ada.headers, "Transfer-Encoding": "chunked"}
    client = cast.app.test_client(use_cookies=False)
    async with client.request(f"/api/v1{cast.tasks}", method="POST", headers=headers) as connection:
        for byte in body:
            await connection.send(bytes([byte]))
        await connection.send_complete()
        made = await connection.receive()
    assert orjson.loads(made)["title"] == "x" * 40


@pytest.mark.parametrize("path", ["/api/v1/boards", "/mcp"])
async def test_incomplete_body_times_out(cast: Cast, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setitem(cast.app.config, "BODY_TIMEOUT", 0.01)
    headers = {**JSON, "Transfer-Encoding": "chunked", "Authorization": f"Bearer {cast.vega.secret}"}
    async with cast.app.test_client(use_cookies=False).request(path, method="POST", headers=headers) as connection:
        await connection.send(b'{"name": ')
        await connection.receive()
    assert (await connection.as_response()).status_code == 408


async def test_anonymous_forms_are_limited(cast: Cast) -> None:
    seen = await Visitor(cast.app).post("/sign-in", {"email": "a@example.org", "password": "x" * ANONYMOUS_BYTES})
    seen.is_status(413).has(ANONYMOUS)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
async def test_number_of_form_fields_is_limited(cast: Cast, kind: str) -> None:
    nobody = Visitor(cast.app)
    for fields, is_refused in ((MOST_FIELDS, False), (MOST_FIELDS + 1, True)):
        part = b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n'
        body = part * fields + b"--b--\r\n" if "multipart" in kind else b"&".join([b"f=x"] * fields)
        headers = {"Origin": "http://localhost", "Content-Type": kind, "Accept": "text/html"}
        answer = await nobody.app.test_client().post("/sign-in", data=body, headers=headers)
        assert (answer.status_code == 413) is is_refused


LONG = "z" * 5000


@pytest.mark.parametrize(("body", "shown"), [
    ({"title": ["a"], "priority": 5}, ["a"]),
    ({"title": {"deep": [LONG]}}, None),
    ([LONG] * 100, None),
    (list(range(15_000)), None),
])  # fmt: skip
async def test_body_errors_quote_little_input(cast: Cast, body: object, shown: object) -> None:
    answer = await cast.ada.post(cast.tasks, body)
    problems = answer.refused(422)
    assert all(len(orjson.dumps(one["input"])) < 300 for one in problems)
    if shown is not None:
        assert problems[0]["input"] == shown


async def test_query_errors_quote_little_input(cast: Cast) -> None:
    [problem] = (await cast.ada.get(f"{cast.tasks}?sort={LONG}")).refused(422)
    assert problem["input"] == LONG[:200]


async def test_body_with_too_many_values_is_refused(cast: Cast) -> None:
    for body in (list(range(30_000)), {"title": "x", "tag_ids": [{}] * 30_000}, [[0] * 100] * 300):
        [problem] = (await cast.ada.post(cast.tasks, body)).refused(422)
        assert problem["type"] == "too_many_values"


async def test_commas_in_strings_do_not_count_as_values(cast: Cast) -> None:
    text = 'a,"b\\,' * 11_000
    assert (await cast.ada.post(cast.tasks, {"title": "x", "description": text})).ok()["description"] == text


@pytest.mark.parametrize("body", [b'"' + b'\\"' * 30_000, b'["' + b"," * 50_000, b'{"a": "\\'])
async def test_unterminated_strings_are_refused(cast: Cast, body: bytes) -> None:
    answer = await cast.nobody.call("POST", "/boards", headers=JSON, data=body)
    assert answer.refused(422)[0]["type"] == "json_invalid"


async def test_expired_reset_link_is_refused_before_hashing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hashed(password: str) -> str:
        raise AssertionError("hashed for nobody")

    monkeypatch.setattr("mission_control.people.accounts.commands.hash_password", hashed)
    nobody = Visitor(cast.app)
    seen = [(await nobody.post("/reset/mcr_unknown", {"password": "correct horse"})).status for _ in range(21)]
    assert seen == [404] * 20 + [429]
    (await nobody.get("/reset/mcr_unknown")).is_status(429)


async def test_webhook_bodies_have_a_larger_limit_than_anonymous_ones(cast: Cast) -> None:
    made = (await cast.ada.post(f"/boards/{cast.board.id}/webhooks", {"description": "CI"})).ok()
    stranger = Caller(cast.app)
    answer = await stranger.post(f"/boards/{cast.board.id}/webhooks/{made['id']}", {"text": "t" * ANONYMOUS_BYTES})
    assert answer.status in (202, 403)
