"""Everything that a path can name, made over the API by the cast: one place, and only what a path needs.

Each maker has the name of the part of the path. A maker gets the things that the same path has made before it, so
that a comment is one of the task beside it in the path. All of it is Ada's, on the cast's board.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

from quart.datastructures import FileStorage

from mission_control.agents.models import Agent, Connection
from mission_control.channels.installation import sealed, sealed_values
from mission_control.channels.models import Device as ReachDevice
from mission_control.channels.models import ReachChannel, ReachCode, ReachMessage
from mission_control.core import times
from mission_control.core.actor import system
from mission_control.events.leases import Delivery
from mission_control.gateway_agents.models import OnboardingSession, ProvisioningJob
from mission_control.gateway_agents.requests.models import GatewayRequest
from mission_control.http.registry import PROGRAMS, Operation
from mission_control.people.accounts.commands import start_session
from mission_control.people.models import Job, Session, Token, User
from mission_control.transfer import importing
from mission_control.transfer.file import BoardFile
from mission_control.webhooks.models import OutgoingDelivery
from tests.cast import Answer, Caller, Cast, Person

Things = dict[str, str]
Maker = Callable[[Cast, Things, str], Awaitable[Any]]
PLACE = re.compile(r"<(?:string:)?(\w+)>")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
PACK = "https://github.com/observatory/skills"
# Nothing listens there, which is known at once.
NO_GATEWAY = {"name": "Basement", "url": "ws://127.0.0.1:9", "workspace_root": "~/.openclaw"}
OUTGOING = {"description": "Odd", "url": "https://nobody.invalid/hooks"}
MAKERS: dict[str, Maker] = {}


def makes(name: str) -> Callable[[Maker], Maker]:
    """Register the maker of what a part of a path names."""

    def register(maker: Maker) -> Maker:
        MAKERS[name] = maker
        return maker

    return register


async def things_of(cast: Cast, path: str) -> Things:
    """What the names in a path stand for, in their order."""
    made: Things = {}
    if path.startswith(PROGRAMS):
        await make_programs(cast)
    for name in PLACE.findall(path):
        made[name] = str(await MAKERS[name](cast, made, path))
    return made


async def make_programs(cast: Cast) -> None:
    """Let the unrestricted tokens of Atlas and Vega be those of connections that Ada approved."""
    for agent in (cast.atlas, cast.vega):
        one = await make_connection(cast, agent.id)
        await Token.filter(agent_id=agent.id, scopes=None).update(connection_id=one.id, scopes=["connect", "work"])


async def make_connection(cast: Cast, agent_id: UUID) -> Connection:
    """A connection of an agent of the board, of Ada's, without a token."""
    return await Connection.create(
        organization_id=cast.organization.id,
        board_id=cast.board.id,
        agent_id=agent_id,
        user_id=cast.ada.id,
        client="codex",
    )


@makes("connection_id")
async def _connection(cast: Cast, made: Things, path: str) -> Any:
    return (await make_connection(cast, cast.vega.id)).id


@makes("client")
async def _client(cast: Cast, made: Things, path: str) -> Any:
    return "claude-code"


@makes("signal")
async def _signal(cast: Cast, made: Things, path: str) -> Any:
    return "logs"


def filled(path: str, made: Things) -> str:
    return PLACE.sub(lambda found: made[found[1]], path)


async def path_of(cast: Cast, one: Operation) -> str:
    return filled(one.path, await things_of(cast, one.path))


async def upload(caller: Caller, path: str, content: bytes = PNG, name: str = "sky.png", **form: str) -> Answer:
    file = FileStorage(BytesIO(content), filename=name, content_type="image/png")
    return await caller.call("POST", path, files={"file": file}, form=form)


@makes("board_id")
async def _board(cast: Cast, made: Things, path: str) -> Any:
    if path.endswith("/restorations") and "<task_id>" not in path:
        (await cast.ada.delete(cast.home)).ok()
    if path.endswith(("/onboarding", "/onboarding/cancellations")):
        await OnboardingSession.create(board_id=cast.board.id)
    return cast.board.id


@makes("task_id")
async def _task(cast: Cast, made: Things, path: str) -> Any:
    task = await cast.add_task(status="done" if "archivals" in path else "inbox")
    if path.endswith(("/restorations", "/erasures")):
        (await cast.ada.delete(cast.task(task))).ok()
    return task["id"]


@makes("depends_on_task_id")
async def _dependency(cast: Cast, made: Things, path: str) -> Any:
    other = await cast.add_task()
    (await cast.ada.post(f"{cast.task(made['task_id'])}/dependencies", {"task_id": other["id"]})).ok()
    return other["id"]


@makes("proposal_id")
async def _proposal(cast: Cast, made: Things, path: str) -> Any:
    new = {"title": f"Oil the dome {uuid4()}", "reason": "It squeaks."}
    return (await cast.vega.post(f"/agent{cast.home}/proposals", new)).ok()["id"]


@makes("link_id")
async def _link(cast: Cast, made: Things, path: str) -> Any:
    new = {"kind": "found_in", "task_id": (await cast.add_task())["id"]}
    return (await cast.ada.post(f"{cast.task(made['task_id'])}/links", new)).ok()["id"]


@makes("comment_id")
async def _comment(cast: Cast, made: Things, path: str) -> Any:
    return (await cast.ada.post(f"{cast.task(made['task_id'])}/comments", {"message": "Odd."})).ok()["id"]


@makes("item_id")
async def _item(cast: Cast, made: Things, path: str) -> Any:
    return (await cast.ada.post(f"{cast.task(made['task_id'])}/checklist", {"text": "Odd."})).ok()["id"]


@makes("attachment_id")
async def _attachment(cast: Cast, made: Things, path: str) -> Any:
    return (await upload(cast.ada, f"{cast.task(made['task_id'])}/attachments")).ok()["id"]


@makes("approval_id")
async def _approval(cast: Cast, made: Things, path: str) -> Any:
    return (await cast.ask(cast.vega, await cast.add_task()))["id"]


@makes("need_id")
async def _need(cast: Cast, made: Things, path: str) -> Any:
    return f"approval:{(await cast.ask(cast.vega, await cast.add_task()))['id']}"


@makes("agent_id")
async def _agent(cast: Cast, made: Things, path: str) -> Any:
    if "provisionings" in path:
        await Agent.filter(id=cast.vega.id).update(gateway_id=await _gateway(cast, made, path))
    if "adoptions" in path:
        linked: dict[str, Any] = {"gateway_id": made["gateway_id"], "gateway_agent_id": "odd", "is_adopted": True}
        ours: dict[str, Any] = {"organization_id": cast.organization.id, "board_id": cast.board.id}
        return (await Agent.create(**ours, **linked, name=f"Linked at {made['gateway_id']}")).id
    return cast.vega.id


@makes("soul_id")
async def _soul(cast: Cast, made: Things, path: str) -> Any:
    soul = {"content": "Odd."}
    (await cast.ada.call("PUT", f"/agents/{made['agent_id']}/soul", soul)).ok()
    return (await cast.ada.get(f"/agents/{made['agent_id']}/souls")).ok()["items"][0]["id"]


@makes("delivery_id")
async def _delivery(cast: Cast, made: Things, path: str) -> Any:
    await cast.add_task(assigned_agent_id=made["agent_id"])
    delivery = await Delivery.filter(agent_id=made["agent_id"]).order_by("-seq").first()
    assert delivery is not None
    await Delivery.filter(id=delivery.id).update(state="failed", last_error="Nobody answered.")
    return delivery.id


@makes("user_id")
async def _user(cast: Cast, made: Things, path: str) -> Any:
    return cast.cleo.id


@makes("token_id")
async def _token(cast: Cast, made: Things, path: str) -> Any:
    if "/users/me/" in path:
        return (await cast.ada.post("/users/me/tokens", {"name": "Odd."})).ok()["id"]
    return (await Token.filter(agent_id=made["agent_id"]).order_by("created_at").first().values("id"))["id"]


@makes("member_id")
async def _member(cast: Cast, made: Things, path: str) -> Any:
    return (await cast.cleo.get("/organizations/me/member")).ok()["id"]


@makes("invite_id")
async def _invite(cast: Cast, made: Things, path: str) -> Any:
    return (await cast.ada.post("/organizations/me/invites", {"invited_email": "fay@example.org"})).ok()["id"]


@makes("group_id")
async def a_group(cast: Cast, made: Things, path: str) -> Any:
    """A group with the cast's board in it."""
    group = (await cast.ada.post("/board-groups", {"name": "Night", "slug": ""})).ok()
    (await cast.ada.patch(cast.home, {"board_group_id": group["id"]})).ok()
    return group["id"]


@makes("question_id")
async def _question(cast: Cast, made: Things, path: str) -> Any:
    asked = await cast.atlas.post(f"/agent{cast.home}/gateway/main/ask-user", {"content": "Which lens?"})
    return asked.ok()["question_id"]


@makes("hold_id")
async def _hold(cast: Cast, made: Things, path: str) -> Any:
    await hold(cast.atlas)
    return (await hold(cast.vega))["id"]


async def hold(by: Caller, *tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A worker of an agent waits for two hours, and keeps claimed tasks."""
    until = times.iso(times.clock_now() + timedelta(hours=2))
    sent: dict[str, Any] = {
        "program": "claude-code", "host_label": "ada-laptop", "account": "5f0c", "kind": "window", "until": until,
        "words": "You've hit your session limit · resets 9:30am (UTC)",
        "tasks": [{"task_id": task["id"], "fence": task["lease"]["fence"]} for task in tasks],
    }  # fmt: skip
    held: dict[str, Any] = (await by.post("/agent/holds", sent | more)).ok()
    return held


@makes("memory_id")
async def _entry(cast: Cast, made: Things, path: str) -> Any:
    for_group = "group" in path
    if for_group and "group_id" not in made:
        await a_group(cast, made, path)
    where = f"{cast.home}/group-memory" if for_group else f"{cast.home}/memory"
    return (await cast.ada.post(where, {"content": "Odd."})).ok()["id"]


@makes("job_id")
async def _job(cast: Cast, made: Things, path: str) -> Any:
    if "gateway_id" not in made:
        ours: dict[str, Any] = {"organization_id": cast.organization.id, "user_id": cast.ada.id}
        return (await Job.create(**ours, kind="pack_sync", title="Odd", state="done", finished_at=times.clock_now())).id
    job = await ProvisioningJob.create(
        organization_id=cast.organization.id,
        gateway_id=made["gateway_id"],
        action="sync",
        state="done",
        options={"include_main": True, "reset_sessions": False},
        target={"skipped": 0, "errors": []},
    )
    return job.id


async def bring(by: Person, file: dict[str, Any]) -> dict[str, Any]:
    """What the import of a board's file brings; its job says it in words."""
    actor = await by.actor()
    brought = await importing.import_board(actor, actor.organization_id, BoardFile.model_validate(file))
    return brought.model_dump(mode="json")


@makes("import_id")
async def _import(cast: Cast, made: Things, path: str) -> Any:
    file = {"format": "mission-control/board", "version": 1, "board": {"name": "Odd", "slug": "odd"}}
    return (await cast.ada.post("/boards/imports", file)).ok()["id"]


@makes("tag_id")
async def _tag(cast: Cast, made: Things, path: str) -> Any:
    return (await cast.ada.post("/tags", {"name": "Odd"})).ok()["id"]


@makes("task_custom_field_definition_id")
async def _field(cast: Cast, made: Things, path: str) -> Any:
    field = {"field_key": "odd", "board_ids": [str(cast.board.id)]}
    return (await cast.ada.post("/organizations/me/custom-fields", field)).ok()["id"]


@makes("view_id")
async def _view(cast: Cast, made: Things, path: str) -> Any:
    name = f"Odd {uuid4()}"  # no two views of a board have one name
    return (await cast.ada.post(f"{cast.home}/views", {"name": name, "is_shared": True})).ok()["id"]


@makes("webhook_id")
async def _webhook(cast: Cast, made: Things, path: str) -> Any:
    return (await cast.ada.post(f"{cast.home}/webhooks", {"description": "Odd."})).ok()["id"]


@makes("outgoing_webhook_id")
async def _outgoing_webhook(cast: Cast, made: Things, path: str) -> Any:
    return (await cast.ada.post("/outgoing-webhooks", OUTGOING | {"board_id": cast.board.id})).ok()["id"]


@makes("outgoing_delivery_id")
async def _outgoing_delivery(cast: Cast, made: Things, path: str) -> Any:
    webhook_id, message_id = UUID(made["outgoing_webhook_id"]), uuid4()
    return (
        await OutgoingDelivery.create(
            webhook_id=webhook_id, message_id=message_id, kind="need.ended", data={}, state="sent"
        )
    ).id


@makes("gateway_id")
async def _gateway(cast: Cast, made: Things, path: str) -> Any:
    return (await cast.ada.post("/gateways", NO_GATEWAY)).ok()["id"]


@makes("gateway_request_id")
async def _gateway_request(cast: Cast, made: Things, path: str) -> Any:
    request = await GatewayRequest.create(
        organization_id=cast.organization.id,
        gateway_id=await _gateway(cast, made, path),
        kind="question" if path.endswith("/answers") else "approval",
        external_id="there",
        gateway_agent_id="odd",
        agent_name="Odd",
        action_type="gateway.exec",
        payload={"gateway_request": {"kind": "exec", "command": "ls", "allowed_decisions": ["allow-once", "deny"]}},
        content="Which lens?",
    )
    return request.id


@makes("payload_id")
async def _payload(cast: Cast, made: Things, path: str) -> Any:
    answer = await cast.nobody.post(f"{cast.home}/webhooks/{made['webhook_id']}", {"n": 1})
    assert answer.status == 202, answer.body
    return answer.body["payload_id"]


@makes("skill_id")
async def _skill(cast: Cast, made: Things, path: str) -> Any:
    return (await cast.ada.post("/skills/marketplace", {"source_url": f"{PACK}/tree/main/star"})).ok()["id"]


@makes("pack_id")
async def _pack(cast: Cast, made: Things, path: str) -> Any:
    return (await cast.ada.post("/skills/packs", {"source_url": PACK})).ok()["id"]


@makes("price_id")
async def _price(cast: Cast, made: Things, path: str) -> Any:
    return (await cast.ada.post("/prices", {"model": "local-qwen", "input_usd": 1, "output_usd": 2})).ok()["id"]


@makes("budget_id")
async def _budget(cast: Cast, made: Things, path: str) -> Any:
    return (await cast.ada.post("/budgets", {"unit": "tokens", "limit": 1000})).ok()["id"]


@makes("handle")
async def _handle(cast: Cast, made: Things, path: str) -> Any:
    return "ada"


@makes("slug")
async def _slug(cast: Cast, made: Things, path: str) -> Any:
    return "night-owl"


@makes("session_id")
async def _session(cast: Cast, made: Things, path: str) -> Any:
    if "/users/me/" in path or path.startswith("/settings/"):
        await start_session(system(cast.organization.id), await User.get(id=cast.ada.id), "Firefox/140.0")
        return (await Session.filter(user_id=cast.ada.id).first().values("id"))["id"]
    if path.startswith(("/boards/", "/api/v1/boards/", "/api/v1/agent/boards/")):
        return (await cast.vega.post("/agent/reports", {"items": [{"title": "Looked around"}]})).ok()["session_id"]
    return "agent:mc-vega:main"


@makes("channel_id")
async def _channel(cast: Cast, made: Things, path: str) -> Any:
    values = sealed_values({"token": "123:abc"})
    return (
        await ReachChannel.create(
            organization_id=cast.organization.id, kind="chat", name="Chat", secrets=values, state="failing"
        )
    ).id


@makes("device_id")
async def _device(cast: Cast, made: Things, path: str) -> Any:
    return (
        await ReachDevice.create(
            user_id=cast.ada.id, kind="pigeon", mark=uuid4().hex, address=sealed("x"), label="Pigeon"
        )
    ).id


@makes("code_id")
async def _code(cast: Cast, made: Things, path: str) -> Any:
    channel_id = await _channel(cast, made, path)
    return (
        await ReachCode.create(
            user_id=cast.ada.id, channel_id=channel_id, hash=uuid4().hex, who="1", address=sealed("1"), label="ada",
            expires_at=times.clock_now() + timedelta(minutes=10),
        )
    ).id  # fmt: skip


@makes("message_id")
async def _message(cast: Cast, made: Things, path: str) -> Any:
    one = ReachMessage(organization_id=cast.organization.id, user_id=cast.ada.id, kind="mail", why="first")
    one.title, one.state = "Approve", "failed"
    await one.save()
    return one.id
