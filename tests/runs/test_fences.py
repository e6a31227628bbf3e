"""The fence of an assignment, in the header or in the body: a wrong one refuses every write about the task."""

import pytest

from mission_control.core.errors import ErrorCode
from mission_control.http.inputs import takes_fence
from mission_control.http.registry import OPERATIONS, Operation
from tests.cast import Answer, Caller, Cast
from tests.contract.bodies import CALLERS, body_of, of
from tests.things import filled, things_of

pytestmark = pytest.mark.dialect

WRITES = [one for one in OPERATIONS if takes_fence(one) and not one.form]
# Reports of runs that are over, too, and what was found in one, which is about no task yet.
OF_ANY_RUN = {"report_usage", "report", "propose", "decide_proposal"}
# Changes of what a person wrote: refused to agents whatever they hold.
OF_ANOTHER = {"edit_task_comment", "delete_task_comment", "remove_attachment"}
WRONG = 77
JSON = {"Content-Type": "application/json"}


def test_what_takes_a_fence_is_known() -> None:
    names = {one.name for one in WRITES}
    assert {"complete_task", "extend_lease", "release_lease", "add_checklist_item", "report_usage"} <= names
    assert not names & {"claim_task"}


@pytest.mark.parametrize("where", ["header", "body"])
@pytest.mark.parametrize("one", WRITES, ids=lambda one: one.operation_id)
async def test_wrong_fence_refuses_every_write(cast: Cast, one: Operation, where: str) -> None:
    if one.name in OF_ANY_RUN | OF_ANOTHER or (where == "body" and one.body is None):
        return
    answer = await _sent(cast, one, WRONG if where == "body" else None, WRONG if where == "header" else None)
    if isinstance(answer.body, dict) and "results" in answer.body:  # each task by itself
        assert ErrorCode.LEASE_LOST in str(answer.body) and not any(one["ok"] for one in answer.ok()["results"])
    else:
        answer.refused_as(409, ErrorCode.LEASE_LOST)


@pytest.mark.parametrize("one", WRITES, ids=lambda one: one.operation_id)
async def test_two_fences_that_differ_are_refused(cast: Cast, one: Operation) -> None:
    if one.body is not None and one.name not in OF_ANOTHER:
        (await _sent(cast, one, 1, 2)).refused_as(422, ErrorCode.FENCES_DIFFER)


@pytest.mark.parametrize("fence", [r'"\ud800"', str(10**30), "NaN", "[" * 3000 + "]" * 3000])
async def test_fence_that_cannot_be_repeated_is_refused(cast: Cast, fence: str) -> None:
    path = f"/agent{cast.tasks}/{(await cast.add_task())['id']}/completions"
    sent = await cast.vega.call("POST", path, data=f'{{"fence": {fence}}}'.encode(), headers=JSON)
    assert sent.refused(422)[0]["loc"][:2] == ["body", "fence"]


async def _sent(cast: Cast, one: Operation, in_body: int | None, in_header: int | None) -> Answer:
    """Send a write about a task that the sender holds, or whose sender leads the board."""
    made = await things_of(cast, one.path)
    path = filled(one.path, made)
    body = await body_of(one, cast, made)
    if isinstance(body, dict) or in_body is not None:
        body = {name: value for name, value in ({} if body is ... else body).items() if name != "fence"}
        body |= {} if in_body is None else {"fence": in_body}
        body |= (
            {"task_id": (await cast.add_task())["id"]}
            if one.name.startswith(("create_approval", "ask_question"))
            else {}
        )
    headers = {} if in_header is None else {"X-Task-Fence": str(in_header)}
    caller: Caller = getattr(cast, of(CALLERS, one, "atlas"))
    return await caller.call(one.method, path, body, headers=headers)
