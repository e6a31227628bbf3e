"""Rules for agents."""

from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.policy import Rules

rules = Rules()


@rules.rule("agent.manage")
def may_manage_agents(actor: Actor, thing: object) -> bool:
    """Owners and admins of the active organization."""
    return actor.is_user and actor.administers(actor.organization_id)


@rules.rule("agent.create")
def may_create_agent(actor: Actor, board: Board | None) -> bool:
    """Admins who can write on the board, and its lead."""
    if actor.is_agent:
        return actor.is_lead and (board is None or actor.writes(board))
    if board is None:
        return actor.administers(actor.organization_id)
    return actor.administers(board.organization_id) and actor.writes(board)


@rules.rule("agent.read")
def may_read_agent(actor: Actor, agent: Agent) -> bool:
    """Admins who can read the agent's board."""
    return actor.is_user and actor.administers(agent.organization_id)


@rules.rule("agent.update")
@rules.rule("agent.manage_tokens")
def may_update_agent(actor: Actor, agent: Agent) -> bool:
    """Admins who can write on the agent's board."""
    if not (actor.is_user and actor.administers(agent.organization_id)):
        return False
    return agent.board is None or actor.writes(agent.board)


@rules.rule("agent.renew_token")
def may_renew_token(actor: Actor, agent: Agent) -> bool:
    """The agent itself."""
    return actor.is_agent and actor.id == agent.id


@rules.rule("agent.delete")
def may_delete_agent(actor: Actor, agent: Agent) -> bool:
    """Admins who can write on the agent's board; a lead deletes workers of its own board."""
    if actor.is_agent:
        return actor.is_lead and agent.board_id == actor.board_id and not agent.is_board_lead
    return may_update_agent(actor, agent)


@rules.rule("agent.coordinate")
def may_coordinate(actor: Actor, board: Board) -> bool:
    """The lead of the board."""
    return actor.is_agent and actor.is_lead and actor.writes(board)


@rules.rule("agent.read_soul")
def may_read_soul(actor: Actor, agent_id: UUID) -> bool:
    """Agents read their own soul; leads also those of their colleagues."""
    return actor.is_agent and (actor.is_lead or actor.id == agent_id)


@rules.rule("agent.message_leads")
def may_message_leads(actor: Actor, board: Board | None) -> bool:
    """The main agents of gateways, on the boards of their gateway."""
    return actor.is_main and (board is None or actor.writes(board))


@rules.rule("agent.heartbeat")
def may_report_heartbeat(actor: Actor, agent: Agent) -> bool:
    """The agent itself, and people who can change it."""
    return actor.id == agent.id if actor.is_agent else may_update_agent(actor, agent)


@rules.rule("agent.set_work_state")
def may_set_work_state(actor: Actor, agent: Agent) -> bool:
    """People who can write on the agent's board; of an agent without one, admins."""
    if agent.board is None:
        return actor.is_user and actor.administers(agent.organization_id)
    return actor.is_user and actor.writes(agent.board)
