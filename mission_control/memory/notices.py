"""Notices to agents about new entries, written in the transaction of the entry."""

from quart import current_app, has_app_context

from mission_control.agents.models import Agent
from mission_control.agents.notices import Notices
from mission_control.agents.queries import agents_to_notify, mentioned_names, mentions
from mission_control.agents.reactions import NOTICE
from mission_control.boards.commands import ORDERS, apply_order
from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.events.unit_of_work import deliver
from mission_control.groups.models import BoardGroup
from mission_control.memory.models import BoardMemory, Entry, GroupMemory

WORDS = Notices(
    {
        "BOARD CHAT": "chat",
        "BOARD CHAT MENTION": "chat_mention",
        "GROUP CHAT": "group_chat",
        "GROUP CHAT MENTION": "group_chat_mention",
        "GROUP BROADCAST": "group_broadcast",
        "/pause": "pause",
        "/resume": "resume",
    }
)

SNIPPET_LENGTH = 800


def is_chat(tags: list[str] | None) -> bool:
    return "chat" in (tags or ())


def concerns_agents(content: str, tags: list[str] | None) -> bool:
    return is_chat(tags) or is_broadcast(content, tags)


def is_broadcast(content: str, tags: list[str] | None) -> bool:
    return "broadcast" in (tags or ()) or "all" in mentioned_names(content)


def _pass_on(order: str, agents: list[Agent]) -> None:
    for agent in agents:
        deliver(NOTICE, agent.scope(), agent_id=agent.id, header=order, text="", command=order, deliver=True)


async def notify_board(actor: Actor, board: Board, entry: BoardMemory, *, tells_lead: bool) -> None:
    """Notify every agent of an order or a message with `@all`, else the lead and mentioned agents; never the author.

    An order by people or the lead also sets the board's work state.
    """
    agents = [agent for agent in await agents_to_notify([board.id]) if agent.id != actor.agent_id]
    content = entry.content
    order = content.strip().lower()
    if order in ORDERS:
        await apply_order(actor, board, order)
        _pass_on(order, agents)
        return
    to_all = "all" in mentioned_names(content)
    for agent in agents:
        named = to_all or mentions(content, agent)
        if named or (tells_lead and agent.is_board_lead):
            header = "BOARD CHAT MENTION" if named else "BOARD CHAT"
            how = _how_to_reply(f"/api/v1/agent/boards/{board.id}/memory")
            _notify(agent, header, [f"Board: {board.name}", f"From: {actor.name}"], entry, how)


async def notify_group(actor: Actor, group: BoardGroup, entry: GroupMemory) -> None:
    """Notify every agent of a broadcast, leads and mentioned agents of a message; never the author."""
    content = entry.content
    to_all = is_broadcast(content, entry.tags)
    for agent in await agents_to_notify(group.board_ids):
        named = mentions(content, agent)
        if agent.id == actor.agent_id or not (to_all or named or agent.is_board_lead):
            continue
        header = "GROUP BROADCAST" if to_all else "GROUP CHAT MENTION" if named else "GROUP CHAT"
        how = _how_to_reply(f"/api/v1/boards/{agent.board_id}/group-memory")
        _notify(agent, header, [f"Group: {group.name}", f"From: {actor.name}"], entry, how)


def _notify(agent: Agent, header: str, about: list[str], entry: Entry, how: str) -> None:
    text = "\n".join([*about, "", snippet(entry.content), "", how])
    deliver(NOTICE, agent.scope(), agent_id=agent.id, header=header, text=text, memory_id=str(entry.id))


def _how_to_reply(path: str) -> str:
    base = current_app.config["SETTINGS"].base_url if has_app_context() else ""
    return f'Reply with POST {(base or "").rstrip("/")}{path} and {{"content": "...", "tags": ["chat"]}}.'


def snippet(text: str) -> str:
    """Cut a text to 800 characters, the last three of them dots when something was cut."""
    return text if len(text) <= SNIPPET_LENGTH else text[: SNIPPET_LENGTH - 3] + "..."
