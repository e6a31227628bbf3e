"""The answers of every operation are exactly their declared models: no key too many, none too few, no other type."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import TypeAdapter
from quart import Quart

from mission_control.core.values import json_values
from mission_control.gateway_agents.models import OnboardingSession
from mission_control.gateways.protocol.identity import main_session_key
from mission_control.http.agent_news import News
from mission_control.http.registry import OPERATIONS, Operation
from tests.cast import Answer, Caller, Cast
from tests.contract.bodies import BODIES, body_of, caller_of
from tests.lists import LISTS
from tests.moments import loose_moments, unlike_the_document
from tests.onboarding import add_gateway, hire_main_agent, on_gateway
from tests.outside import outside
from tests.samples import sampled
from tests.things import filled, make_connection, things_of, upload

pytestmark = pytest.mark.dialect

ANSWERING = [one for one in OPERATIONS if not one.is_stream]
DRAFT = {
    "status": "complete", "board_type": "goal", "objective": "See.", "success_metrics": {"nights": 3},
    "lead_agent": {"name": "Lyra", "autonomy_level": "balanced"},
}  # fmt: skip
# Whose usual answer is an empty object: the program goes on.
SAYS_NOTHING = {"take_hook"}
# What nobody gets an answer from before there are gateways or a mail server, and how it refuses.
REFUSED = {
    "test_my_mail": 409, "test_board_reach": 409, "agent_main_message_board_lead": 403,
    "agent_main_broadcast_lead_message": 403, "update_onboarding": 403, "gateways_status": 422,
    "resend_invitation": 409, "list_gateway_sessions": 422, "get_gateway_session": 422, "get_session_history": 422,
    "send_gateway_session_message": 422, "abort_gateway_session": 422, "list_agents_on_gateway": 502,
    "adopt_gateway_agent": 502,
}  # fmt: skip
# What needs a board on a gateway, and a conversation in which the agent has to answer.
TALKING = {"start_onboarding", "answer_onboarding", "resend_onboarding"}
# What names a gateway with a main agent in its query.
ABOUT_A_GATEWAY = {"install_marketplace_skill", "uninstall_marketplace_skill"}

# What is asked about a time, because its caller was not away.
TIMED = {"get_absence_report": "?since=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z"}


async def scene(cast: Cast) -> None:
    """A board on which everything is there in several states."""
    first = await cast.add_task(assigned_agent_id=cast.vega.id, description="d", due_at="2027-01-01T00:00:00Z")
    second = await cast.add_task(assigned_user_id=cast.cleo.id, status="review")
    own = (await cast.atlas.post(f"/agent{cast.tasks}", {"title": "x", "depends_on_task_ids": [second["id"]]})).ok()
    (await cast.vega.patch(cast.task(first), {"status": "in_progress", "comment": "Begun."})).ok()
    for caller in (cast.cleo, cast.vega):
        (await caller.post(f"{cast.task(own)}/comments", {"message": "Hello."})).ok()
    done = await cast.ask(cast.vega, first, second, rubric_scores={"a": 1})
    (await cast.cleo.patch(f"{cast.approvals}/{done['id']}", {"decision": "changes_requested", "note": "n"})).ok()
    await cast.ask(cast.cleo, first)
    await cast.ask(cast.vega)
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"identity_profile": {"a": "b"}, "soul_template": "s"})).ok()
    (await cast.ada.post(f"/agents/{cast.vega.id}/tokens", {"scopes": ["read"]})).ok()
    await cast.add_task(title="Done", status="done")
    (await cast.ada.delete(cast.task(await cast.add_task(title="Gone")))).ok()
    (await cast.ada.post(f"{cast.home}/memory", {"content": "Clear.", "tags": ["chat"]})).ok()
    await add_gateway(cast)
    await make_connection(cast, cast.vega.id)
    said = [{"role": "user", "content": "Begin."}]
    await OnboardingSession.create(board_id=cast.board.id, status="completed", messages=said, draft_goal=DRAFT)


def test_every_operation_with_a_body_is_called_with_one() -> None:
    known = [one for one in ANSWERING if one.body is not None]
    names, mirrors = {one.name for one in known}, {f"agent_{one.name}" for one in known if one.is_mirror}
    assert names <= set(BODIES) <= names | mirrors


type Send = Callable[..., Awaitable[Answer]]


@asynccontextmanager
async def ready(cast: Cast, one: Operation, folder: Path) -> AsyncIterator[Send]:
    """Yield what calls an operation on real things; when it is a list, there are three rows of it at least."""
    if one.name in TALKING:
        gateway, _ = await on_gateway(cast, cast.board)
        await OnboardingSession.filter(board_id=cast.board.id).update(session_key=main_session_key(gateway.id))
    made = await things_of(cast, one.path)
    path = filled(one.path, made)
    if one.method == "GET" and one.path in LISTS:
        more, query = LISTS[one.path]
        for row in range(3):
            await more(cast, made, row)
        path += query
    if one.name in ABOUT_A_GATEWAY:
        gateway = await add_gateway(cast)
        await hire_main_agent(cast, gateway)
        path += f"?gateway_id={gateway.id}"
    path += TIMED.get(one.name, "")
    body, caller = await body_of(one, cast, made), caller_of(one, cast)

    async def send(**headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if one.form:
            return await upload(Caller(caller.app, caller.headers | named), path)
        return await caller.call(one.method, path, body, headers=named)

    async with outside(cast.app, path, folder):
        yield send


@pytest.fixture(scope="module")
async def document(app: Quart) -> dict[str, Any]:
    read: dict[str, Any] = (await Caller(app).get("/openapi.json")).ok()
    return read


@pytest.mark.parametrize("one", sampled(ANSWERING), ids=lambda one: one.operation_id)
async def test_responses_match_the_document(
    cast: Cast, document: dict[str, Any], one: Operation, tmp_path: Path
) -> None:
    await scene(cast)
    async with ready(cast, one, tmp_path) as send:
        answer = await send()
    if one.name in REFUSED:
        answer.refused(REFUSED[one.name])
        return
    assert answer.status == one.status, answer.body
    if one.returns is None:
        assert isinstance(answer.body, bytes) and answer.body
        return
    adapter = TypeAdapter[Any](one.returns)
    if one.carries_news and isinstance(answer.body, dict) and (news := answer.body.pop("news", None)) is not None:
        assert News.model_validate(news).items
    assert json_values(adapter.validate_json(orjson.dumps(answer.body))) == answer.body
    path = re.sub(r"<(?:string:)?(\w+)>", r"{\1}", one.path)
    assert unlike_the_document(document, one.method, path, one.status, answer.body) == []
    assert loose_moments(answer.body) == []
    listed = answer.body["items"] if isinstance(answer.body, dict) and "items" in answer.body else answer.body
    assert listed or one.name in SAYS_NOTHING, "a list that is empty shows nothing"
