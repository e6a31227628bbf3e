"""Rows for every answer that is a list or holds one: how one more of them comes to be, over the API by the cast.

`LISTS` has an entry per operation: who reads, and what makes row number `n`. What takes no rows of ours, or has a
fixed number of them, says why in `FIXED`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.channels.models import ReachBoard
from mission_control.core.actor import system
from mission_control.gateway_agents.models import ProvisioningJob, new_steps, plan_of
from mission_control.gateways.connections.connector import INVENTED
from mission_control.gateways.models import Gateway
from mission_control.http.registry import OPERATIONS, Operation
from mission_control.people.accounts.commands import start_session
from mission_control.people.models import Job, User
from mission_control.webhooks.incoming import commands as webhooks
from tests.cast import API, Caller, Cast, _person, hire
from tests.claiming import claim
from tests.things import MAKERS, OUTGOING, Things, a_group, hold, make_connection, upload

More = Callable[[Cast, Things, int], Awaitable[None]]
LISTS: dict[str, tuple[More, str]] = {}
FIXED = {
    "/api/v1/connect/connection": "one connection; its checks stand in its row",
    "/api/v1/connections/<connection_id>": "one connection; its checks stand in its row",
    "/api/v1/boards/<board_id>/sessions/<session_id>": "one session; its plan stands in its row",
    "/api/v1/boards/imports/<import_id>": "one file; what it would bring stands in its row",
    "/api/v1/skills/marketplace/<skill_id>": "one skill; its gateways come with one statement",
    "/api/v1/souls-directory/search": "the directory is read from outside and remembered; no row is ours",
    "/api/v1/boards/<board_id>/approvals/<approval_id>": "one approval; its outcomes come with its tasks",
    "/api/v1/gateways/<gateway_id>/agents": "the gateway lists them; no row is ours",
    "/api/v1/absence-report": "one report; each of its tables is read with one statement",
    "/api/v1/agent/boards": "an agent without a gateway reaches one board, its own",
    "/api/v1/needs/<string:need_id>": "one need; its answers stand in its row",
    "/api/v1/gateways/requests/<gateway_request_id>": "one request; its options stand in its row",
    "/api/v1/boards/<board_id>/questions/<question_id>": "one question; its options stand in its row",
}


@dataclass(frozen=True)
class Listing:
    """A list operation: where it is, what makes a row, and what is asked."""

    operation: Operation
    more: More
    query: str


def lists(path: str, query: str = "") -> Callable[[More], More]:
    def register(more: More) -> More:
        LISTS[API + path] = (more, query)
        return more

    return register


BOARD, TASK = "/boards/<board_id>", "/boards/<board_id>/tasks/<task_id>"
AGENT_BOARD, GROUP = "/agent/boards/<board_id>", "/board-groups/<group_id>"


def _somebody(cast: Cast, n: int) -> Caller:
    """A person or an agent, by turns, so that both kinds of names are looked up."""
    return (cast.ada, cast.cleo, cast.vega)[n % 3]


@lists(f"{BOARD}/proposals")
async def _proposal(cast: Cast, made: Things, n: int) -> None:
    new = {"title": f"Dome {n}", "reason": "It squeaks.", "task_id": (await cast.add_task())["id"]}
    (await cast.vega.post(f"/agent{cast.home}/proposals", new)).ok()


@lists(f"{TASK}/links")
async def _link(cast: Cast, made: Things, n: int) -> None:
    new = {"kind": ("found_in", "duplicate_of")[n % 2], "task_id": (await cast.add_task())["id"]}
    (await cast.ada.post(f"{cast.task({'id': made['task_id']})}/links", new)).ok()


@lists(f"{BOARD}/sessions")
async def _agent_session(cast: Cast, made: Things, n: int) -> None:
    given = {"session": {"external_id": f"{n}", "client": "codex"}, "plan": [{"text": "Look"}]}
    (await cast.vega.post("/agent/reports", given)).ok()


@lists(f"{BOARD}/sessions/<session_id>/activities")
async def _activity(cast: Cast, made: Things, n: int) -> None:
    (await cast.vega.post("/agent/reports", {"items": [{"key": f"{n}", "detail": {"n": n}}]})).ok()


@lists(f"{TASK}/activities")
async def _activity_of_task(cast: Cast, made: Things, n: int) -> None:
    if n == 0:
        (await cast.vega.patch(cast.task(made["task_id"]), {"status": "in_progress"})).ok()
    (await cast.vega.post("/agent/reports", {"task_id": made["task_id"], "items": [{"key": f"{n}"}]})).ok()


@lists("/users/me/sessions")
async def _session(cast: Cast, made: Things, n: int) -> None:
    await start_session(system(cast.organization.id), await User.get(id=cast.ada.id), f"Firefox/{n}.0")


@lists("/organizations/me/account-log", "?group=tokens")
async def _account_entry(cast: Cast, made: Things, n: int) -> None:
    (await cast.ada.post("/users/me/tokens", {"name": f"Entry {n}"})).ok()


@lists("/organizations/me/audit/events")
async def _audit_event(cast: Cast, made: Things, n: int) -> None:
    await cast.add_task(title=f"Event {n}")


@lists("/users/me/tokens")
async def _own_tokens(cast: Cast, made: Things, n: int) -> None:
    (await cast.ada.post("/users/me/tokens", {"name": f"Script {n}"})).ok()


@lists("/agents/<agent_id>/provisionings")
async def _provisionings(cast: Cast, made: Things, n: int) -> None:
    agent = await Agent.get(id=made["agent_id"])
    steps = new_steps(plan_of("update", {"wake": True}))
    where: dict[str, Any] = {
        "organization_id": cast.organization.id,
        "gateway_id": agent.gateway_id,
        "agent_id": agent.id,
    }
    await ProvisioningJob.create(**where, action="update", state="done", steps=steps)


@lists("/needs")
async def _needs(cast: Cast, made: Things, n: int) -> None:
    await cast.ask(cast.vega, await cast.add_task())


@lists("/gateways")
async def _gateways(cast: Cast, made: Things, n: int) -> None:
    where: dict[str, Any] = {"url": INVENTED, "workspace_root": "~", "state": "unreachable"}
    await Gateway.create(organization_id=cast.organization.id, name=f"Tower {n}", **where)


@lists("/users/me/notifications")
async def _notifications(cast: Cast, made: Things, n: int) -> None:
    title = f"Task {n}"
    await cast.add_task(cast.cleo, title=title, assigned_user_id=str(cast.ada.id))


@lists("/users/me/reach")
async def _differing_boards(cast: Cast, made: Things, n: int) -> None:
    board = (await cast.ada.post("/boards", {"name": f"Board {n}", "slug": f"board-{n}", "description": "d"})).ok()
    await ReachBoard.create(user_id=cast.ada.id, board_id=board["id"], how="digest")


@lists("/users/me/reach/devices")
async def _devices(cast: Cast, made: Things, n: int) -> None:
    await MAKERS["device_id"](cast, made, "")


@lists("/organizations/me/channels")
async def _channels(cast: Cast, made: Things, n: int) -> None:
    await MAKERS["channel_id"](cast, made, "")


@lists("/users/me/reach/messages")
@lists("/organizations/me/messages")
async def _messages(cast: Cast, made: Things, n: int) -> None:
    await MAKERS["message_id"](cast, made, "")


@lists("/gateways/requests")
async def _gateway_requests(cast: Cast, made: Things, n: int) -> None:
    await MAKERS["gateway_request_id"](cast, made, "")


@lists("/budgets")
async def _budgets(cast: Cast, made: Things, n: int) -> None:
    agent = await hire(cast.app, cast.ada, cast.board, f"Spender {n}")
    budget = {"agent_id": str(agent.id), "unit": "tokens", "limit": 10 + n}
    (await cast.ada.post("/budgets", budget)).ok()


@lists("/prices", "?model=own")
async def _prices(cast: Cast, made: Things, n: int) -> None:
    (
        await cast.ada.post(
            "/prices", {"model": "own", "since": f"2026-01-{n + 1:02}", "input_usd": n, "output_usd": 2}
        )
    ).ok()


@lists("/usage")
@lists("/usage/shares")
async def _usage(cast: Cast, made: Things, n: int) -> None:
    agent = await hire(cast.app, cast.ada, cast.board, f"Spender {n}")
    (await agent.post("/agent/usage", {"input_tokens": 10 + n})).ok()


@lists("/activity")
@lists("/search", "?q=report&limit=100")
@lists(f"{BOARD}/tasks")
@lists(f"{AGENT_BOARD}/tasks")
@lists(f"{BOARD}/export")
@lists(f"{BOARD}/export/tasks.csv")
async def _tasks(cast: Cast, made: Things, n: int) -> None:
    await _rich_task(cast, n)


async def _rich_task(cast: Cast, n: int) -> dict[str, Any]:
    """A task with a tag, a field's value, an owner, a step, a comment and another that it waits for."""
    fields = {"field_key": f"field_{n}", "board_ids": [str(cast.board.id)]}
    (await cast.ada.post("/organizations/me/custom-fields", fields)).ok()
    tag = (await cast.ada.post("/tags", {"name": f"Tag {n}"})).ok()
    first = await cast.add_task(title=f"Report {n}", tag_ids=[tag["id"]], assigned_user_id=str(cast.cleo.id))
    task = await cast.add_task(
        tag_ids=[tag["id"]], depends_on_task_ids=[first["id"]], custom_field_values={f"field_{n}": "x"}
    )
    (await cast.ada.post(f"{cast.task(task)}/checklist", {"text": f"Step {n}"})).ok()
    (await _somebody(cast, n).post(f"{cast.task(task)}/comments", {"message": "Hello."})).ok()
    return task


@lists(f"{BOARD}/snapshot")
async def _everything(cast: Cast, made: Things, n: int) -> None:
    task = await _rich_task(cast, n)
    await cast.ask(cast.vega, task)
    (await cast.ada.post(f"{cast.home}/memory", {"content": f"Hello {n}", "tags": ["chat"]})).ok()


@lists(f"{GROUP}/snapshot", "?include_done=true&per_board_task_limit=100")
@lists(f"{BOARD}/group-snapshot", "?include_done=true&include_self=true&per_board_task_limit=100")
async def _boards_of_a_group(cast: Cast, made: Things, n: int) -> None:
    if "group_id" not in made:
        made["group_id"] = str(await a_group(cast, made, ""))
    board = await _board(cast, n, board_group_id=made["group_id"])
    tag = (await cast.ada.post("/tags", {"name": f"Tag {n}"})).ok()
    fields = {"title": "Report", "tag_ids": [tag["id"]], "assigned_user_id": str(cast.ada.id)}
    (await cast.ada.post(f"/boards/{board['id']}/tasks", fields)).ok()
    (await cast.ada.post(cast.tasks, fields)).ok()


async def _board(cast: Cast, n: int, **fields: Any) -> dict[str, Any]:
    new = {"name": f"Board {n}", "slug": f"board-{n}", "description": "Odd.", **fields}
    board: dict[str, Any] = (await cast.ada.post("/boards", new)).ok()
    return board


@lists("/boards")
async def _boards(cast: Cast, made: Things, n: int) -> None:
    await _board(cast, n)


@lists("/boards/trash")
async def _deleted_boards(cast: Cast, made: Things, n: int) -> None:
    board = await _board(cast, n)
    (await cast.ada.delete(f"/boards/{board['id']}")).ok()


@lists("/activity/task-comments")
async def _comments_anywhere(cast: Cast, made: Things, n: int) -> None:
    task = await cast.add_task()
    (await _somebody(cast, n).post(f"{cast.task(task)}/comments", {"message": "Hello."})).ok()


@lists(f"{TASK}/comments")
@lists(f"{AGENT_BOARD}/tasks/<task_id>/comments")
async def _comments(cast: Cast, made: Things, n: int) -> None:
    (await _somebody(cast, n).post(f"{cast.task(made['task_id'])}/comments", {"message": "Hello."})).ok()


@lists(TASK)
async def _tags_and_waiting(cast: Cast, made: Things, n: int) -> None:
    tag = (await cast.ada.post("/tags", {"name": f"Tag {n}"})).ok()
    other = await cast.add_task(title=f"Report {n}")
    task = (await cast.ada.get(cast.task(made["task_id"]))).ok()
    both = {name: [*task[name], one["id"]] for name, one in (("tag_ids", tag), ("depends_on_task_ids", other))}
    (await cast.ada.patch(cast.task(task), both)).ok()


@lists(f"{TASK}/waiting")
async def _reasons(cast: Cast, made: Things, n: int) -> None:
    await _tags_and_waiting(cast, made, n)


@lists(f"{TASK}/checklist")
async def _steps(cast: Cast, made: Things, n: int) -> None:
    (await cast.ada.post(f"{cast.task(made['task_id'])}/checklist", {"text": f"Step {n}"})).ok()


@lists(f"{TASK}/attachments")
async def _files(cast: Cast, made: Things, n: int) -> None:
    (await upload(cast.ada, f"{cast.task(made['task_id'])}/attachments", name=f"sky{n}.png")).ok()


@lists(f"{TASK}/notes")
async def _note(cast: Cast, made: Things, n: int) -> None:
    if n == 0:
        await claim(cast, task_id=made["task_id"])
    (await cast.ada.post(f"{cast.task(made['task_id'])}/notes", {"text": f"Note {n}"})).ok()


@lists(f"{BOARD}/sessions/<session_id>/notes")
async def _session_note(cast: Cast, made: Things, n: int) -> None:
    (await cast.ada.post(f"{cast.home}/sessions/{made['session_id']}/notes", {"text": f"Note {n}"})).ok()


@lists(f"{TASK}/runs")
@lists("/agents/<agent_id>/runs")
async def _runs(cast: Cast, made: Things, n: int) -> None:
    task = await cast.add_task() if "task_id" not in made else {"id": made["task_id"]}
    agent = (cast.rigel, cast.vega)[n % 2] if "agent_id" not in made else cast.vega
    (await agent.patch(cast.task(task), {"status": "in_progress"})).ok()
    fence = n + 1 if "task_id" in made else 1
    work = {"fence": fence, "summary": "Done.", "artifacts": [{"name": "log.txt", "content_base64": "Y2xlYXI="}]}
    (await agent.post(f"/agent{cast.task(task)}/completions", work)).ok()
    (await cast.ada.patch(cast.task(task), {"status": "inbox"})).ok()


@lists(f"{BOARD}/approvals")
@lists(f"{AGENT_BOARD}/approvals")
async def _approvals(cast: Cast, made: Things, n: int) -> None:
    asked = await cast.ask(cast.vega, await cast.add_task())
    if n % 2:
        (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()


@lists(f"{BOARD}/approvals/<approval_id>/history")
async def _decisions(cast: Cast, made: Things, n: int) -> None:
    wanted = {"status": "pending" if n % 2 else "approved"}
    (await (cast.ada, cast.ben)[n % 3 == 0].patch(f"{cast.approvals}/{made['approval_id']}", wanted)).ok()


@lists(f"{BOARD}/memory")
@lists(f"{AGENT_BOARD}/memory")
async def _entries(cast: Cast, made: Things, n: int) -> None:
    (await _somebody(cast, n).post(f"{cast.home}/memory", {"content": f"Note {n}", "tags": ["x"]})).ok()


@lists(f"{BOARD}/questions")
async def _questions(cast: Cast, made: Things, n: int) -> None:
    path = f"/agent{cast.home}/gateway/main/ask-user"
    asked = (await cast.atlas.post(path, {"content": f"Which lens {n}?"})).ok()["question_id"]
    if n % 2:
        (await cast.cleo.post(f"{cast.home}/questions/{asked}/answers", {"answer": "The wide one."})).ok()


@lists("/agent/holds/<hold_id>")
@lists(f"{BOARD}/holds")
async def _holds(cast: Cast, made: Things, n: int) -> None:
    await cast.add_task(title=f"Lens {n}")
    worker = await hire(cast.app, cast.ada, cast.board, f"Worker {n}")
    task = (await worker.post(f"/agent{cast.home}/claims", {})).ok()
    await hold(worker, {**task["task"], "lease": task["lease"]}, account="5f0c" if "hold_id" in made else f"{n}")


@lists(f"{GROUP}/memory")
@lists(f"{BOARD}/group-memory")
async def _group_entries(cast: Cast, made: Things, n: int) -> None:
    if "group_id" not in made:
        made["group_id"] = str(await a_group(cast, made, ""))
    (await _somebody(cast, n).post(f"{cast.home}/group-memory", {"content": f"Note {n}"})).ok()


@lists("/board-groups")
async def _groups(cast: Cast, made: Things, n: int) -> None:
    (await cast.ada.post("/board-groups", {"name": f"Group {n}", "slug": ""})).ok()


@lists("/agent/inbox")
async def _notices(cast: Cast, made: Things, n: int) -> None:
    await cast.add_task()


@lists("/agents/<agent_id>/deliveries")
async def _deliveries(cast: Cast, made: Things, n: int) -> None:
    await cast.add_task(assigned_agent_id=made["agent_id"])


@lists("/agents")
@lists("/agent/agents")
@lists(f"{BOARD}/workers")
async def _agents(cast: Cast, made: Things, n: int) -> None:
    await hire(cast.app, cast.ada, cast.board, f"Worker {n}")


@lists("/connections")
async def _connections(cast: Cast, made: Things, n: int) -> None:
    await make_connection(cast, cast.vega.id)


@lists("/agents/<agent_id>/souls")
async def _souls(cast: Cast, made: Things, n: int) -> None:
    path = f"/agents/{cast.vega.id}"
    if n % 2:
        (await cast.ada.patch(path, {"soul_template": f"Soul {n}"})).ok()
    else:
        soul = {"content": f"Soul {n}", "reason": "It changes."}
        (await cast.atlas.call("PUT", f"/agent{cast.home}{path}/soul", soul)).ok()


@lists("/agents/<agent_id>/tokens")
async def _tokens(cast: Cast, made: Things, n: int) -> None:
    (await cast.ada.post(f"/agents/{cast.vega.id}/tokens", {"overlap_seconds": 600})).ok()


@lists("/tags")
@lists(f"{AGENT_BOARD}/tags")
async def _tags(cast: Cast, made: Things, n: int) -> None:
    tag = (await cast.ada.post("/tags", {"name": f"Tag {n}"})).ok()
    await cast.add_task(tag_ids=[tag["id"]])


@lists("/organizations/me/custom-fields")
async def _fields(cast: Cast, made: Things, n: int) -> None:
    field = {"field_key": f"field_{n}", "board_ids": [str(cast.board.id), str(cast.other_board.id)]}
    (await cast.ada.post("/organizations/me/custom-fields", field)).ok()


@lists(f"{BOARD}/views")
async def _views(cast: Cast, made: Things, n: int) -> None:
    (await cast.ada.post(f"{cast.home}/views", {"name": f"View {n}"})).ok()


@lists(f"{BOARD}/webhooks")
async def _webhooks(cast: Cast, made: Things, n: int) -> None:
    (await cast.ada.post(f"{cast.home}/webhooks", {"description": f"Hook {n}", "agent_id": str(cast.vega.id)})).ok()


@lists(f"{BOARD}/webhooks/<webhook_id>/payloads")
async def _payloads(cast: Cast, made: Things, n: int) -> None:
    webhooks.calls.clear()
    answer = await cast.nobody.post(f"{cast.home}/webhooks/{made['webhook_id']}", {"n": n})
    assert answer.status == 202, answer.body


@lists("/organizations/me/invites")
async def _invites(cast: Cast, made: Things, n: int) -> None:
    (await cast.ada.post("/organizations/me/invites", {"invited_email": f"fay{n}@example.org"})).ok()


@lists("/organizations/me/members")
async def _members(cast: Cast, made: Things, n: int) -> None:
    await _person(cast.app, cast.organization, f"Fay{n}", "member")


@lists("/organizations/me/members/<member_id>")
@lists("/organizations/me/member")
async def _access(cast: Cast, made: Things, n: int) -> None:
    await _board(cast, n)
    member = (await cast.cleo.get("/organizations/me/member")).ok()["id"]
    specs = [{"board_id": str(one)} for one in await _ids_of_boards(cast)]
    (await cast.ada.call("PUT", f"/organizations/me/members/{member}/access", {"board_access": specs})).ok()


async def _ids_of_boards(cast: Cast) -> list[Any]:
    return [board.id for board in await Board.filter(organization_id=cast.organization.id)]


@lists("/organizations/me/list")
async def _organizations(cast: Cast, made: Things, n: int) -> None:
    (await cast.ada.post("/organizations", {"name": f"House {n}"})).ok()
    wanted = {"organization_id": str(cast.organization.id)}
    (await cast.ada.patch("/organizations/me/active", wanted)).ok()


@lists("/skills/marketplace")
async def _skills(cast: Cast, made: Things, n: int) -> None:
    skill = {"source_url": f"https://github.com/observatory/skills/tree/main/star{n}"}
    (await cast.ada.post("/skills/marketplace", skill)).ok()


@lists("/jobs")
async def _jobs(cast: Cast, made: Things, n: int) -> None:
    ours: dict[str, Any] = {"organization_id": cast.organization.id, "user_id": cast.ada.id}
    await Job.create(**ours, kind="pack_sync", title=f"Sync {n}", result={"summary": "Done."}, state="done")


@lists("/skills/packs")
async def _packs(cast: Cast, made: Things, n: int) -> None:
    (await cast.ada.post("/skills/packs", {"source_url": f"https://github.com/observatory/skills{n}"})).ok()
    await _skills(cast, made, n)


def listings() -> list[Listing]:
    return [Listing(one, *LISTS[one.path]) for one in OPERATIONS if one.method == "GET" and one.path in LISTS]


@lists("/outgoing-webhooks")
async def _outgoing_webhooks(cast: Cast, made: Things, n: int) -> None:
    (await cast.ada.post("/outgoing-webhooks", OUTGOING | {"description": f"Hook {n}"})).ok()


@lists("/outgoing-webhooks/<outgoing_webhook_id>/deliveries")
async def _outgoing_deliveries(cast: Cast, made: Things, n: int) -> None:
    await MAKERS["outgoing_delivery_id"](cast, made, "")
