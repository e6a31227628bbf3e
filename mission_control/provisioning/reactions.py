"""What becomes of agents on gateways when something changes here."""

from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.commands.reactions import Reactions
from mission_control.core.actor import Actor
from mission_control.gateways.models import Gateway
from mission_control.live.log import NewEvent
from mission_control.provisioning.files import make_workspace_token
from mission_control.provisioning.jobs import Action, request_provisioning, request_removal, request_rest
from mission_control.provisioning.main_agents import is_made

reactions = Reactions()

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


@reactions.to("agent.created")
async def provision_new_agent(actor: Actor, event: NewEvent) -> None:
    """Give a new agent of a gateway its token and have it created there."""
    agent = await _on_gateway(event)
    if agent is not None and agent.board_id is not None and not agent.is_adopted:
        await make_workspace_token(agent)
        await request_provisioning(agent, action="provision", followed=True)


@reactions.to("agent.updated", "agent.soul.updated")
async def update_changed_agent(actor: Actor, event: NewEvent) -> None:
    """Bring an agent's files up to date; after a move to another gateway remove it there and create it here."""
    agent = await _on_gateway(event)
    if agent is None:
        return
    before, after = event.data.get("before", {}), event.data.get("after", {"soul_template": True})
    if {"gateway_id", "gateway_agent_id"} & set(after):
        await _follow(agent, before)
    elif IN_FILES & set(after) and not agent.is_adopted and is_made(agent):
        # A new soul comes with a notice of its own.
        await request_provisioning(agent, action="update", wake=set(after) != {"soul_template"})


async def _follow(agent: Agent, before: dict[str, object]) -> None:
    was = before.get("gateway_id", agent.gateway_id)
    gone = {
        "gateway_agent_id": before.get("gateway_agent_id", agent.gateway_agent_id),
        "session_key": before.get("openclaw_session_id", agent.openclaw_session_id),
    }
    if was is not None:
        await request_removal(agent, gateway_id=was if isinstance(was, UUID) else UUID(str(was)), gone=gone)
    await request_provisioning(agent, action="provision", overwrite=True)


@reactions.to("agent.provisioning_requested")
async def provision_again(actor: Actor, event: NewEvent) -> None:
    """Set an agent up anew because a person asked for it."""
    agent = await _on_gateway(event)
    if agent is None:
        return
    if agent.is_adopted:
        await request_provisioning(agent, action="adopt", followed=True)
        return
    await request_provisioning(
        agent,
        action="provision" if agent.last_seen_at is None else "update",
        force_bootstrap=bool(event.data.get("force_bootstrap")),
        reset_session=bool(event.data.get("reset_session")),
        overwrite=bool(event.data.get("overwrite")),
        rotate_token=bool(event.data.get("rotate_token")),
        followed=True,
    )


@reactions.to("agent.token_rotated", "agent.token_revoked")
async def follow_token(actor: Actor, event: NewEvent) -> None:
    """Write a lasting token into the files of an agent whose own was replaced or revoked by somebody."""
    agent = await _on_gateway(event)
    if agent is not None and actor.kind != "system":
        action: Action = "adopt" if agent.is_adopted else "update"
        await request_provisioning(agent, action=action, wake=False)


@reactions.to("agent.deleted")
async def remove_deleted_agent(actor: Actor, event: NewEvent) -> None:
    """Remove a deleted agent from its gateway in the background."""
    if (agent := await _on_gateway(event)) is not None:
        await request_removal(agent)


@reactions.to("board.erased")
async def remove_agents_of_erased_board(actor: Actor, event: NewEvent) -> None:
    """Remove the agents of a board that is deleted for good from their gateways."""
    for agent in await _agents_of(event):
        await request_removal(agent)


@reactions.to("board.deleted")
async def end_work_of_deleted_board(actor: Actor, event: NewEvent) -> None:
    for agent in await _agents_of(event):
        await request_rest(agent)


@reactions.to("board.updated")
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
