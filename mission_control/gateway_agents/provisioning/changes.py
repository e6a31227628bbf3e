"""Agents on gateways when something changes here: removed, linked, unlinked."""

import asyncio
import contextlib
import logging
from collections.abc import Container
from uuid import UUID

from mission_control.agents.commands import delete_agent, save_unique
from mission_control.agents.models import Agent
from mission_control.agents.schemas import DEFAULT_HEARTBEAT
from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.errors import Conflict, ErrorCode, Invalid, Unreachable, existing
from mission_control.database.sql import rows
from mission_control.events.commands import command
from mission_control.events.event_log import NewEvent
from mission_control.events.unit_of_work import reacts_to, record
from mission_control.gateway_agents.models import ProvisioningJob
from mission_control.gateway_agents.provisioning import files as provisioning_files
from mission_control.gateway_agents.provisioning.files import make_workspace_token
from mission_control.gateway_agents.provisioning.gateway_agent import (
    READING_SECONDS,
    ListedAgent,
    call,
    changing,
    end_turns,
    is_missing,
    listed,
)
from mission_control.gateway_agents.provisioning.jobs import (
    AS_IT_IS,
    OPEN,
    Action,
    request_alone,
    request_provisioning,
    request_removal,
    target_of,
)
from mission_control.gateway_agents.provisioning.main_agents import is_made
from mission_control.gateway_agents.provisioning.schemas import Adoption, GatewayRemoval, ProvisioningRequest
from mission_control.gateways import commands, queries
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.errors import GatewayError
from mission_control.gateways.protocol.identity import is_made_by_us
from mission_control.gateways.protocol.payload import Payload
from mission_control.gateways.queries import CONNECTED
from mission_control.http import lookups
from mission_control.people.accounts.credentials import end_agent_tokens
from mission_control.people.jobs import commands as running
from mission_control.people.jobs.commands import JobRead, JobResult
from mission_control.people.organizations.commands import before_removal

# A gateway that has just created an agent does not find it for a moment.
LOOKS, PAUSE_SECONDS = 6, 0.5
AT_ONCE, ENDING_SECONDS = 8, 10.0

_log = logging.getLogger(__name__)


async def remove(job: ProvisioningJob) -> str:
    """Delete an agent with its files and sessions; one that is gone already is fine."""
    ended, paths = await _end_turns(job), await _delete_there(job.gateway_id, job.target["gateway_agent_id"])
    try:
        # Gateways keep the main session of an agent that they still have.
        await call(job.gateway_id, "sessions.delete", {"key": job.target["session_key"]})
    except GatewayError as error:
        if error.code != "INVALID_REQUEST":
            raise
    stays = f"Stays on the gateway's host: {', '.join(paths)}." if paths else ""
    return " ".join(filter(None, ("What it was doing was ended." if ended else "", stays)))


async def _delete_there(gateway_id: UUID, key: str) -> list[str]:
    """Return the paths that stay on the gateway's host."""
    for _ in range(LOOKS):
        there = await listed(gateway_id)
        try:
            async with changing(gateway_id):
                answer = await call(gateway_id, "agents.delete", {"agentId": key, "deleteFiles": True})
            return _staying(answer, (there[key].workspace or "") if key in there else "")
        except GatewayError as error:
            if not is_missing(error):
                raise
        await asyncio.sleep(PAUSE_SECONDS)
        if key not in await listed(gateway_id):
            break
    return []


def _staying(answer: Payload, workspace: str) -> list[str]:
    """Return what a gateway left of an agent; a workspace in the folder of an agent that stays, it passes over."""
    failed, removed = ({str(file.get("path")) for file in answer.objects(name)} for name in ("failed", "removed"))
    folder = workspace.rstrip("/").rpartition("/")[2]
    if "removed" in answer and folder and not any(path.endswith(f"/{folder}") for path in failed | removed):
        failed.add(workspace)
    return sorted(failed)


async def _end_turns(job: ProvisioningJob) -> int:
    """End what the agent does; a gateway goes on with the turn of an agent that it deletes."""
    try:
        return await end_turns(job.gateway_id, job.target["gateway_agent_id"], job.target["session_key"])
    except GatewayError as error:
        if error.is_retryable:
            raise
        return 0  # it is gone already, or never had a session


async def rest(job: ProvisioningJob) -> str:
    """End what an agent of a deleted board does. The agent itself stays, for the board may come back."""
    return "Its turn was ended." if await _end_turns(job) else "It did nothing."


@before_removal
async def end_all_turns(organization_id: UUID) -> None:
    """End what the agents of an organization do that is about to be deleted; a gateway delays that by seconds at most.

    Afterwards no row says which agents they were. What linked agents do is their own matter.
    """
    agents = Agent.filter(organization_id=organization_id, gateway_away_at=None, is_adopted=False)
    few = asyncio.Semaphore(AT_ONCE)

    async def end(agent: Agent) -> None:
        async with few:
            at = UUID(str(agent.gateway_id)), str(agent.gateway_agent_id), str(agent.openclaw_session_id)
            try:
                await end_turns(*at)
            except GatewayError as error:
                _log.warning("ending the turn of agent %s failed: %s", agent.id, error)

    made = await agents.exclude(gateway_id=None).exclude(openclaw_session_id=None).order_by("-run_began_at")
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*map(end, made)), ENDING_SECONDS)


ALONE_STEPS = {"remove": remove, "unlink": provisioning_files.remove, "rest": rest}


async def remove_gateway(actor: Actor, gateway: Gateway, wanted: GatewayRemoval) -> JobRead:
    """Begin to delete a gateway. Raise Conflict while boards use it, unless `force`, and while it is not connected."""
    await commands.refuse_in_use(gateway, force=wanted.force)
    if wanted.remove_agents and gateway.state != CONNECTED:
        message = "The gateway is not connected, so nothing can be removed there."
        raise not_connected(f"{message} Connect it, or delete it without its agents.")

    async def refuse_another(_: UUID) -> None:
        await existing(Gateway.select_for_update(no_key=True).get_or_none(id=gateway.id))
        if await queries.removals(gateway.organization_id, gateway.id):
            raise Conflict("This gateway is being deleted already.")

    async def work() -> JobResult:
        removed, problems = dict[UUID, Agent](), list[str]()
        while agents := await _left(gateway, removed) if wanted.remove_agents else []:  # more may be made during that
            await ProvisioningJob.filter(gateway_id=gateway.id, state="waiting").delete()
            for agent in agents:  # first, so that whatever stays of their files lets nobody in
                await end_access(system(agent.organization_id), agent)
            await running.step("Removing its agents", len(agents))
            problems += [note for agent in agents if (note := await _removed(gateway.id, agent))]
            removed |= {agent.id: agent for agent in agents}
        await running.step("Deleting the gateway here")
        await commands.delete_gateway(actor, gateway, force=wanted.force)
        number = sum(not agent.is_adopted for agent in removed.values())
        count = f", and {number} {'agent was' if number == 1 else 'agents were'} removed there" if number else ""
        return JobResult(summary=f"{gateway.name} is deleted{count}.", url="/gateways", problems=problems)

    title = f"Delete {gateway.name}" + (" and its agents there" if wanted.remove_agents else "")
    return await running.start(actor, "gateway_removal", title, work, claim=refuse_another, about_id=gateway.id)


def not_connected(message: str) -> Conflict:
    return Conflict({"message": message, "code": ErrorCode.GATEWAY_NOT_CONNECTED})


async def _left(gateway: Gateway, removed: Container[UUID]) -> list[Agent]:
    agents = await Agent.filter(gateway_id=gateway.id).order_by("created_at")
    return [agent for agent in agents if is_made(agent) and agent.id not in removed]


async def _removed(gateway_id: UUID, agent: Agent) -> str:
    """Remove an agent, or take back what was added to a linked one. Return what stays; raise Conflict to stop here."""
    action = "unlink" if agent.is_adopted else "remove"
    job = ProvisioningJob(gateway_id=gateway_id, agent_id=agent.id, action=action, target=target_of(agent))
    try:
        note = await ALONE_STEPS[action](job)
    except GatewayError as error:
        if error.is_retryable:
            message = f"The gateway went away before {agent.name} was removed; nothing is deleted here."
            message += " The tokens of its agents have ended: start it again, or set them up anew."
            raise not_connected(f"{message} ({error.message})") from error
        return f"{agent.name} stays on the gateway: {error.message}"
    await running.advance()
    return f"{agent.name}: {note}" if "Stays" in note else ""


@command("provisioning.run")
async def end_access(actor: Actor, agent: Agent) -> None:
    """End all tokens of an agent that is removed from its gateway; when it is set up anew, it gets another one."""
    await Agent.filter(id=agent.id).update(workspace_token=None)
    if number := await end_agent_tokens(agent.id, times.clock_now()):
        record("agent.token_revoked", agent, f"Tokens ended, as {agent.name} is removed.", number=number)
    lookups.recheck_streams()


# What stands in an agent's files, its configuration or its session. Its soul is told to it as a notice, too.
IN_FILES = {
    "name", "board_id", "is_board_lead", "identity_profile", "identity_template", "soul_template",
}  # fmt: skip
BOARD_IN_FILES = {
    "name", "description", "board_type", "objective", "success_metrics", "target_date", "goal_confirmed", "max_agents",
    "board_group_id", "require_approval_for_done", "require_review_before_done", "comment_required_for_review",
    "block_status_changes_with_pending_approval", "only_lead_can_change_status",
}  # fmt: skip
NO_GATEWAY = "Its board has no gateway any more. Give the board a gateway, or move the agent to another board."


async def _on_gateway(event: NewEvent) -> Agent | None:
    agent = await Agent.get_or_none(id=event.scope.agent_id)
    if agent is None or agent.gateway_id is None or not await Gateway.filter(id=agent.gateway_id).exists():
        return None
    return agent


@reacts_to("agent.created")
async def provision_new_agent(actor: Actor, event: NewEvent) -> None:
    """Give a new agent of a gateway its token and have it created there."""
    agent = await _on_gateway(event)
    if agent is not None and agent.board_id is not None and not agent.is_adopted:
        await make_workspace_token(agent)
        await request_provisioning(agent, action="provision", followed=True)


@reacts_to("agent.updated", "agent.soul.updated")
async def update_changed_agent(actor: Actor, event: NewEvent) -> None:
    """Bring an agent's files up to date; after a move to another gateway remove it there and create it here."""
    agent = await _on_gateway(event)
    if agent is None:
        return
    before, after = event.data.get("before", {}), event.data.get("after", {"soul_template": True})
    if {"gateway_id", "gateway_agent_id"} & set(after):
        gone = {
            "gateway_agent_id": before.get("gateway_agent_id", agent.gateway_agent_id),
            "session_key": before.get("openclaw_session_id", agent.openclaw_session_id),
        }
        if (was := before.get("gateway_id", agent.gateway_id)) is not None:
            await request_removal(agent, gateway_id=UUID(str(was)), gone=gone)
        # What stays of its files there lets nobody in.
        how = ProvisioningRequest(overwrite=True, rotate_token=True)
        await request_provisioning(agent, action="provision", how=how)
    elif IN_FILES & set(after) and not agent.is_adopted and is_made(agent):
        # A new soul comes with a notice of its own.
        await request_provisioning(agent, action="update", wake=set(after) != {"soul_template"})


@reacts_to("agent.provisioning_requested")
async def provision_again(actor: Actor, event: NewEvent) -> None:
    agent = await _on_gateway(event)
    if agent is None:
        return
    how = ProvisioningRequest(**{name: event.data.get(name, False) for name in ProvisioningRequest.model_fields})
    action: Action = "adopt" if agent.is_adopted else "provision" if agent.last_seen_at is None else "update"
    await request_provisioning(agent, action=action, how=AS_IT_IS if agent.is_adopted else how, followed=True)


@reacts_to("agent.token_rotated", "agent.token_revoked")
async def follow_token(actor: Actor, event: NewEvent) -> None:
    """Write a lasting token into the files of an agent whose own was replaced or revoked by somebody."""
    agent = await _on_gateway(event)
    if agent is not None and actor.kind != "system":
        action: Action = "adopt" if agent.is_adopted else "update"
        await request_provisioning(agent, action=action, wake=False)


@reacts_to("agent.deleted")
async def remove_deleted_agent(actor: Actor, event: NewEvent) -> None:
    if (agent := await _on_gateway(event)) is not None:
        await request_removal(agent)


@reacts_to("board.erased", "board.deleted")
async def let_go_of_agents(actor: Actor, event: NewEvent) -> None:
    """Remove the agents of a board that is deleted for good from their gateways; in the trash it ends their work."""
    for agent in await _agents_of(event):
        if event.kind == "board.erased":
            await request_removal(agent)
        else:
            await request_alone(agent, "rest", agent.gateway_id)


@reacts_to("board.updated")
async def follow_board(actor: Actor, event: NewEvent) -> None:
    """Bring the files of a board's agents up to date; without a gateway they are in error."""
    after = event.data["after"]
    if "gateway_id" not in after and not BOARD_IN_FILES & set(after):
        return
    for agent in await _agents_of(event):
        if after.get("gateway_id", agent) is None:
            agent.status, agent.last_provision_error = "error", NO_GATEWAY
            await agent.save(update_fields=["status", "last_provision_error"])
        elif not agent.is_adopted:
            await request_provisioning(agent, action="update", wake=False)


async def _agents_of(event: NewEvent) -> list[Agent]:
    return await Agent.filter(board_id=event.scope.board_id).exclude(gateway_id=None).order_by("created_at")


async def agents_there(gateway: Gateway) -> list[tuple[ListedAgent, Agent | None]]:
    """List a gateway's agents, each with ours that it is. Raise Unreachable when it does not answer."""
    try:
        there = await listed(gateway.id, seconds=READING_SECONDS)
    except GatewayError as error:
        raise Unreachable(f"The gateway does not list its agents: {error.message}") from error
    ours = {agent.gateway_agent_id: agent for agent in await Agent.filter(gateway_id=gateway.id)}
    return [(agent, ours.get(key)) for key, agent in sorted(there.items()) if agent.kind != "system"]


async def choices_to_link(gateway: Gateway) -> tuple[list[tuple[str, str]], str]:
    """Return the ids and names of the agents that can be linked, and why they cannot be listed.

    Agents that a Mission Control made, this one or another, are left out.
    """
    try:
        free = [agent for agent, ours in await agents_there(gateway) if ours is None and not is_made_by_us(agent.id)]
    except Unreachable as error:
        return [], str(error.detail)
    return [(agent.id, agent.id if agent.name == agent.id else f"{agent.name} ({agent.id})") for agent in free], ""


@command("gateway.adopt")
async def adopt(actor: Actor, gateway: Gateway, board: Board, adoption: Adoption, there: ListedAgent) -> Agent:
    """Link an agent to a board. Raise Conflict when it is linked already, Invalid for a board of another gateway."""
    board = await locked_board(board)
    if board.gateway_id != gateway.id:
        raise Invalid("The board is on another gateway. Choose one of this gateway's boards.")
    if await _is_taken(gateway, there.id):
        raise Conflict("This agent is linked already.")
    await _forget_unlinking(gateway, there.id)
    agent = Agent(
        organization_id=board.organization_id, board_id=board.id, gateway_id=gateway.id, is_adopted=True,
        name=adoption.name, is_board_lead=adoption.is_board_lead, heartbeat_config=DEFAULT_HEARTBEAT,
        gateway_away_at=None if gateway.state == CONNECTED else times.clock_now(), workspace_path=there.workspace,
        gateway_agent_id=there.id, openclaw_session_id=f"agent:{there.id}:{there.main_key}",
    )  # fmt: skip
    agent.board = board
    await save_unique(agent)
    await make_workspace_token(agent)
    record("agent.created", agent, f"Agent linked: {agent.name}.", name=agent.name, is_board_lead=agent.is_board_lead)
    job = await request_provisioning(agent, action="adopt", followed=True)
    job.options = job.options | {"remember": adoption.remember}
    await job.save(update_fields=["options"])
    return agent


async def _forget_unlinking(gateway: Gateway, key: str) -> None:
    """Drop what waits to take back an earlier link, or it would undo the new one. Raise Conflict while that runs."""
    jobs = await ProvisioningJob.filter(gateway_id=gateway.id, action="unlink", state__in=OPEN).select_for_update()
    for job in jobs:
        if job.target.get("gateway_agent_id") != key:
            continue
        if job.state == "running":
            raise Conflict("This agent is being unlinked at the moment. Try again shortly.")
        await job.delete()


async def _is_taken(gateway: Gateway, key: str) -> bool:
    """Tell whether an agent of a gateway works for us already.

    Several organizations may use one gateway; ids that Mission Control gave are unique whatever address a gateway has.
    """
    sql = (
        "SELECT 1 AS one FROM agents a JOIN gateways g ON g.id = a.gateway_id"
        " WHERE a.gateway_agent_id = ? AND (g.id = ? OR g.url = ? OR NOT a.is_adopted) LIMIT 1"
    )
    return bool(await rows(sql, key, gateway.id, gateway.url))


@command("gateway.adopt")
async def adopting_unlink(actor: Actor, gateway: Gateway, agent: Agent) -> None:
    """Unlink an agent: what was added to its files is removed in the background, the agent itself stays."""
    if not agent.is_adopted:
        raise Conflict("This agent was created by Mission Control. Delete it instead.")
    await delete_agent(actor, agent)
