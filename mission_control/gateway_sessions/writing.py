"""What people do in sessions of gateways: it happens there, and the log has that it happened, without any words."""

from uuid import UUID, uuid5

from mission_control.agents.models import Agent
from mission_control.agents.queries import main_agent_on
from mission_control.agents.reactions import NOTICE
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import deliver, record
from mission_control.core.actor import Actor
from mission_control.core.scope import Scope
from mission_control.gateway_sessions import reading
from mission_control.gateway_sessions.history import agent_in
from mission_control.gateway_sessions.reach import Reach
from mission_control.gateway_sessions.session_view import agent_of_session
from mission_control.gateways.keys import main_session_key
from mission_control.gateways.models import Gateway
from mission_control.live.models import Event
from mission_control.provisioning.main_agents import is_made


async def send(actor: Actor, reach: Reach, key: str, content: str, idempotency_key: str) -> None:
    """Send a message to a session, and record that, once for each key. Raises Unreachable.

    A message to a main agent that was never needed is its first reason: it waits until the agent is made.
    """
    if key == main_session_key(reach.gateway.id):
        main = await main_agent_on(reach.gateway.id)
        if main is not None and not is_made(main):
            await _leave_for_main(actor, reach, main, content)
            return
    is_new = await reading.send(reach, key, content, idempotency_key)
    await _record_sent(actor, reach, key, uuid5(reach.gateway.id, idempotency_key), is_new=is_new)


async def abort(actor: Actor, reach: Reach, key: str, run_id: str | None) -> list[str]:
    """End a run of a session, or all of them, record that, and return which ended. Raises Unreachable."""
    ended = await reading.abort(reach, key, run_id)
    if ended:
        await _record_ended(actor, reach, key, len(ended))
    return ended


@command("gateway_session.write")
async def _leave_for_main(actor: Actor, reach: Reach, main: Agent, content: str) -> None:
    deliver(NOTICE, main.scope(), agent_id=main.id, header="MESSAGE", text=content, raw=True)
    message = f"Wrote into a session: {main.name}."
    record("gateway.session.message_sent", _scope(reach, main), message, gateway_id=reach.gateway.id)


@command("gateway_session.write")
async def _record_sent(actor: Actor, reach: Reach, key: str, event_id: UUID, *, is_new: bool) -> None:
    await Gateway.select_for_update().get_or_none(id=reach.gateway.id)  # the same message may arrive twice at once
    is_known = await Event.exists(id=event_id)
    if is_known and not is_new:
        return
    agent = await agent_of_session(reach.gateway, key)
    message = f"Wrote into a session: {_name(agent, key)}."
    record(
        "gateway.session.message_sent",
        _scope(reach, agent),
        message,
        event_id=None if is_known else event_id,  # a gateway that was restarted takes the same key anew
        gateway_id=reach.gateway.id,
    )


@command("gateway_session.write")
async def _record_ended(actor: Actor, reach: Reach, key: str, runs: int) -> None:
    agent = await agent_of_session(reach.gateway, key)
    message = f"Ended a run in a session: {_name(agent, key)}."
    record("gateway.session.run_ended", _scope(reach, agent), message, gateway_id=reach.gateway.id, runs=runs)


def _name(agent: Agent | None, key: str) -> str:
    return agent.name if agent else agent_in(key) or "a session of no agent"


def _scope(reach: Reach, agent: Agent | None) -> Scope:
    board_id: UUID | None = agent.board_id if agent else None
    return Scope(
        organization_id=reach.gateway.organization_id,
        board_id=board_id,
        agent_id=agent.id if agent else None,
        subject_id=reach.gateway.id,
    )
