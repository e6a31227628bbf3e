"""Every write of the URL map honours `Idempotency-Key` and `If-Match`, or refuses them: none is ignored."""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest

from mission_control.core.errors import ErrorCode
from mission_control.events.models import Event
from mission_control.http.registry import OPERATIONS, Operation, takes_match
from tests.cast import Answer, Cast
from tests.contract.test_readmodels import REFUSED, ready, scene
from tests.samples import sampled

READS = {"GET", "HEAD", "OPTIONS"}
# Only the main agent of a gateway may do these.
NOT_THEIRS = {name for name, status in REFUSED.items() if status == 403}
# Whoever did these has no token afterwards.
ENDS_ITS_SENDER = {"delete_me", "end_my_access", "end_own_connection"}
WRITES = [one for one in OPERATIONS if one.method != "GET"]


def test_every_write_is_an_operation_a_page_or_mcp(cast: Cast) -> None:
    """What the walk below leaves out would be ignored by it."""
    paths = {one.path for one in WRITES}
    others = {rule.rule for rule in cast.app.url_map.iter_rules() if (rule.methods or set()) - READS} - paths
    assert {path for path in others if path.startswith("/api/")} == set()


async def test_pages_refuse_both_headers(cast: Cast) -> None:
    client: Any = cast.app.test_client()
    pages = [
        (rule.rule, method)
        for rule in cast.app.url_map.iter_rules()
        for method in (rule.methods or set()) - READS
        if not rule.rule.startswith("/api/")
    ]
    assert len(pages) > 100
    for path, method in [*pages, ("/mcp", "POST")]:
        address = re.sub(r"<[^>]+>", str(uuid4()), path)
        for name in ("Idempotency-Key", "If-Match"):
            accept = {"Accept": "application/json", name: "once"}
            answer = await client.open(address, method=method, headers=accept)
            body = orjson.loads(await answer.get_data())
            assert (answer.status_code, _code_of(body)) == (422, ErrorCode.HEADER_NOT_SUPPORTED), (method, path, name)


def _code_of(body: dict[str, Any]) -> str | None:
    return str(body["code"] if "code" in body else body["error"]["data"]["code"])


async def _events_of(answer: Answer) -> int:
    """Return how many events the sender of a request caused by it; work that an earlier one started goes on.

    Any call of an agent shows that the news on the answer before has arrived, also one that is refused.
    """
    caused = Event.filter(request_id=answer.headers["X-Request-Id"]).exclude(actor_kind="system")
    return await caused.exclude(kind__endswith="_notified").count()


@pytest.mark.once
@pytest.mark.parametrize("one", sampled(WRITES, each=5), ids=lambda one: f"{one.method} {one.operation_id}")
async def test_if_match_is_honoured_or_refused(cast: Cast, one: Operation, tmp_path: Path) -> None:
    await scene(cast)
    async with ready(cast, one, tmp_path) as send:
        answer = await send(If_Match='"another state"')
        if one.name in NOT_THEIRS:
            assert answer.status == 403
        elif not takes_match(one):
            answer.refused_as(422, ErrorCode.HEADER_NOT_SUPPORTED)
        else:
            answer.refused_as(412, ErrorCode.PRECONDITION_FAILED)
        assert await _events_of(answer) == 0


@pytest.mark.parametrize("one", sampled(WRITES, each=5), ids=lambda one: f"{one.method} {one.operation_id}")
async def test_repeated_key_gets_the_first_answer(cast: Cast, one: Operation, tmp_path: Path) -> None:
    await scene(cast)
    async with ready(cast, one, tmp_path) as send:
        first = await send(Idempotency_Key="once")
        if one.name in REFUSED or one.name in ENDS_ITS_SENDER:
            return
        again = await send(Idempotency_Key="once")
        assert (again.status, again.headers.get("Idempotency-Replayed")) == (first.status, "true"), again.body
        assert again.body == first.body
        assert await _events_of(again) == 0
