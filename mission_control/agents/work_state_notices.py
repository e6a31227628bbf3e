"""Notify agents of work states and budgets, and wake their waiting calls."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.queries import agents_to_notify
from mission_control.agents.reactions import NOTICE
from mission_control.boards.models import Board
from mission_control.commands.reactions import Reactions
from mission_control.commands.unit_of_work import deliver, notify
from mission_control.core.actor import Actor
from mission_control.live.log import NewEvent
from mission_control.organizations.work_state import PAUSED, RUNNING, STOPPED, reason_of
from mission_control.usage.queries import exhausted
from mission_control.usage.schemas import amount
from mission_control.usage.wording import amount_of

reactions = Reactions()

HEADERS = {RUNNING: "WORK RESUMED", PAUSED: "WORK PAUSED", STOPPED: "WORK STOPPED"}
ADVICE = {
    RUNNING: "Go on with your work, and claim what comes next.",
    PAUSED: "Finish or release what you hold; take up nothing new until you are notified that work is resumed.",
    STOPPED: "Stop at once. What you held is back in the inbox; take up nothing until work is resumed.",
}


@reactions.to("agent.work_state_changed", "board.work_state_changed", "organization.work_state_changed")
async def notify_work_state(actor: Actor, event: NewEvent) -> None:
    """Notify the agents whose work was paused, stopped or resumed, unless they were notified already.

    Wake those that wait for work: they may claim now, or are refused.
    """
    boards, after = await _boards(event), event.data["after"]
    for board_id in boards:
        notify(f"work:{board_id}")
    if event.data.get("is_told"):
        return
    reason = after["work_state_reason"]
    what = event.message.removesuffix(f"{reason_of(reason)}.")
    why = [f"Reason: {reason}"] if reason else []
    lines = [f"{what}.", f"By: {actor.name}", *why, "", ADVICE[after["work_state"]]]
    _notify(await _concerned(event, boards), actor, HEADERS[after["work_state"]], lines, **after)


@reactions.to("budget.warning", "budget.exceeded")
async def notify_budget(actor: Actor, event: NewEvent) -> None:
    """Notify the agents of a budget that it runs out, including the one that reported the usage."""
    is_over = event.kind == "budget.exceeded"
    unit = event.data["unit"]
    used, limit = (amount_of(unit, amount(unit, event.data[name])) for name in ("used", "limit"))
    span = "today (UTC)" if event.data["period"] == "day" else "in total"
    advice = (
        "Stop: you get no tasks until the budget allows more." if is_over else "Be sparing, and finish what you hold."
    )
    lines = [event.message, f"Used: {used} of {limit} {span}", "", advice]
    header = "BUDGET USED UP" if is_over else "BUDGET WARNING"
    facts = {name: event.data[name] for name in ("subject", "unit", "period")}
    boards = await _boards(event)
    for board_id in boards if is_over else ():
        notify(f"work:{board_id}")
    agents = await _concerned(event, boards)
    _notify(agents, None, header, lines, budget_id=str(event.data["budget_id"]), **facts)


@reactions.to("budget.updated", "budget.deleted")
async def notify_more_budget(actor: Actor, event: NewEvent) -> None:
    """Notify the agents that were stopped by a budget that they may go on, unless another one is used up as well."""
    if not event.data["opens"]:
        return
    agents = await _concerned(event, await _boards(event))
    free = [one for one in agents if await exhausted(one.id, one.board_id, one.organization_id) is None]
    lines = [event.message, f"By: {actor.name}", "", ADVICE[RUNNING]]
    facts = {name: event.data[name] for name in ("subject", "unit", "period")}
    _notify(free, None, "BUDGET RAISED", lines, budget_id=str(event.data["budget_id"]), **facts)


async def _boards(event: NewEvent) -> list[UUID]:
    """Return the boards of an event: one, or all of the organization."""
    if event.scope.board_id is not None:
        return [event.scope.board_id]
    found: Any = await Board.filter(organization_id=event.scope.organization_id, deleted_at=None).values_list(
        "id", flat=True
    )
    return list(found)


async def _concerned(event: NewEvent, boards: list[UUID]) -> list[Agent]:
    """Return the agents to notify: the one of the event's scope, else all of the boards."""
    agents = await agents_to_notify(boards)
    return [one for one in agents if event.scope.agent_id in (None, one.id)]


def _notify(agents: Sequence[Agent], author: Actor | None, header: str, lines: list[str], **data: Any) -> None:
    """Notify each agent except the author."""
    for agent in agents:
        if author is None or agent.id != author.agent_id:
            deliver(NOTICE, agent.scope(), agent_id=agent.id, header=header, text="\n".join(lines), **data)
