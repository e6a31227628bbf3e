"""What personal tokens may: read, work on boards, or all that their person may."""

from datetime import timedelta
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from mission_control.core import times
from mission_control.http.registry import OPERATIONS, Operation
from mission_control.people.accounts.credentials import USUAL_LIFE
from mission_control.people.models import Token
from tests.agents.test_budgets import limit, use
from tests.cast import NO_ID, Cast, Person
from tests.mcp.clients import connected
from tests.needs.test_needs import one_of


async def with_scope(cast: Cast, scope: str, who: Person | None = None) -> Person:
    """The same person with a token for less."""
    who = who or cast.ada
    made = (await who.post("/users/me/tokens", {"name": scope, "scopes": [scope]})).ok()
    return Person(cast.app, {"Authorization": f"Bearer {made['token']}"}, who.id, who.name)


def of_people() -> list[Operation]:
    """The operations that people call."""
    return [one for one in OPERATIONS if one.who in ("user", "actor")]


def path_of(operation: Operation) -> str:
    """Its path, about nothing that exists."""
    parts = [str(NO_ID) if part.startswith("<") else part for part in operation.path.split("/")]
    return "/".join(parts)


async def refused_for_scope(who: Person, operation: Operation) -> bool:
    """Whether the token of somebody is made for less than an operation needs."""
    body: Any = {} if operation.body is not None else ...
    answer = await who.call(operation.method, path_of(operation), body)
    return answer.status == 403 and "token_scope_missing" in str(answer.body)


async def test_every_operation_is_refused_to_tokens_for_less(cast: Cast) -> None:
    reads, works = await with_scope(cast, "read"), await with_scope(cast, "work")
    ada = await cast.ada.actor()
    for one in of_people():
        needed = one.scope_of(ada)
        if needed != "read":
            assert await refused_for_scope(reads, one), one.operation_id
        if needed == "admin":
            assert await refused_for_scope(works, one), one.operation_id


async def test_what_a_working_token_may(cast: Cast) -> None:
    works = await with_scope(cast, "work")
    task = (await works.post(cast.tasks, {"title": "By a tool"})).ok()
    (await works.patch(cast.task(task), {"status": "in_progress"})).ok()
    (await works.post(f"{cast.task(task)}/comments", {"message": "Done"})).ok()
    (await works.post(f"{cast.task(task)}/notes", {"text": "Noted"})).refused_as(409, "nobody_works")
    (await works.post(f"{cast.home}/memory", {"content": "Noted"})).ok()
    asked = await cast.ask(cast.vega, task)
    (await works.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()
    for path in ("/boards", "/users/me", "/users/me/tokens", "/activity", "/needs", cast.tasks):
        (await works.get(path)).ok()


@pytest.mark.parametrize("scope", ["read", "work"])
async def test_tokens_for_less_make_no_rights(cast: Cast, scope: str) -> None:
    who = await with_scope(cast, scope)
    for method, path, body in (
        ("POST", "/users/me/tokens", {"name": "More", "scopes": ["admin"]}),
        ("POST", "/organizations/me/invites", {"invited_email": "eve@example.org", "role": "owner"}),
        ("GET", "/organizations/me/invites", ...),
        ("DELETE", "/users/me/sessions", ...),
        ("POST", f"/agents/{cast.vega.id}/tokens", {}),
        ("DELETE", "/users/me", ...),
        ("POST", f"/users/{cast.ben.id}/reset-links", ...),
    ):
        refusal = (await who.call(method, path, body)).refused(403)
        assert refusal["code"] == "token_scope_missing" and refusal["needed"] == "admin", path


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("answer", ["raise", "set_limit", "stop"])
async def test_working_token_changes_no_settings_by_answers(cast: Cast, answer: str, many: bool) -> None:
    works = await with_scope(cast, "work", cast.ben)
    made = await limit(cast, board_id=str(cast.board.id))
    await use(cast.vega, 120)
    one = await one_of(cast.ben, "budget")
    given = {"answer": answer, **({"note": "900"} if answer == "set_limit" else {})}
    if many:
        result = (await works.post("/needs/answers", {"answers": [{"id": one["id"], **given}]})).ok()
        assert (result["answered"], result["results"][0]["outcome"]) == (0, "refused")
    else:
        refusal = (await works.post(f"/needs/{one['id']}/answers", given)).refused(403)
        assert (refusal["code"], refusal["needed"]) == ("token_scope_missing", "admin")
    assert (await cast.ben.get(f"/budgets/{made['id']}")).ok()["limit"] == made["limit"]
    assert (await cast.ben.get(cast.home)).ok()["work_state"] == "running"
    (await works.post(f"/needs/{one['id']}/answers", {"answer": "wait"})).ok()


async def test_working_token_pauses_no_board_by_its_chat(cast: Cast) -> None:
    works = await with_scope(cast, "work")
    sent = {"content": "/pause", "tags": ["chat"]}
    assert (await works.post(f"{cast.home}/memory", sent)).refused(403)["code"] == "token_scope_missing"
    assert (await cast.ada.get(cast.home)).ok()["work_state"] == "running"
    (await cast.ada.post(f"{cast.home}/memory", sent)).ok()
    assert (await cast.ada.get(cast.home)).ok()["work_state"] == "paused"


async def test_reading_token_follows_streams(cast: Cast) -> None:
    reads = await with_scope(cast, "read")
    client = cast.app.test_client(use_cookies=False)
    request: Any = client.request(f"/api/v1{cast.tasks}/stream", headers=Headers(reads.headers))
    async with request as stream:
        await stream.send_complete()
        await stream.receive()
        assert stream.status_code == 200
        await stream.disconnect()


async def test_tools_are_listed_and_called_within_the_scope(cast: Cast) -> None:
    reads, works = await with_scope(cast, "read"), await with_scope(cast, "work")
    async with connected(reads) as ada:
        names = await ada.names()
        assert "list_tasks" in names and not names & {"create_task", "comment", "decide_approval"}
        refusal = await ada.refused("create_task", board_id=str(cast.board.id), title="No")
        assert refusal["code"] == "token_scope_missing"
    async with connected(works) as ada:
        assert "create_task" in await ada.names()
        assert await ada.ok("create_task", board_id=str(cast.board.id), title="Yes")


async def test_token_is_made_to_work_for_90_days_unless_told_otherwise(cast: Cast) -> None:
    with times.travelled(timedelta(0)):
        usual = (await cast.ada.post("/users/me/tokens", {"name": "Usual"})).ok()
        endless = (await cast.ada.post("/users/me/tokens", {"name": "Endless", "expires_at": None})).ok()
    assert usual["scopes"] == endless["scopes"] == ["work"] and endless["expires_at"] is None
    stored = await Token.get(id=usual["id"])
    assert stored.expires_at - stored.created_at < USUAL_LIFE + timedelta(minutes=1)
    (await cast.ada.post("/users/me/tokens", {"name": "Lead", "scopes": ["lead"]})).refused(422)
    (await cast.ada.post("/users/me/tokens", {"name": "None", "scopes": []})).refused(422)


async def test_tokens_from_before_keep_all_and_say_so(cast: Cast) -> None:
    await Token.filter(id=cast.ada.token_id).update(scopes=None)
    [mine] = [
        one for one in (await cast.ada.get("/users/me/tokens")).ok()["items"] if one["id"] == str(cast.ada.token_id)
    ]
    assert mine["scopes"] == ["admin"]
    (await cast.ada.post("/organizations/me/invites", {"invited_email": "eve@example.org", "role": "member"})).ok()
