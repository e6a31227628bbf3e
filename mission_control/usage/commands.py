"""Record the usage of agents, and notify of budgets that are nearly or fully used up."""

from typing import Any
from uuid import UUID

from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record, signal
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.scope import Scope
from mission_control.database.records import insert
from mission_control.database.sql import as_id, rows
from mission_control.usage.measured import Figures, beyond_known
from mission_control.usage.models import WARN_AT_PERCENT, Budget, UsageEntry
from mission_control.usage.queries import concerned, today

MARKS = ("warned_on", "exceeded_on", "state_at")


@command("usage.report")
async def report_usage(
    actor: Actor,
    agent_id: UUID,
    *,
    board_id: UUID,
    task_id: UUID | None = None,
    run_id: UUID | None = None,
    input_tokens: int = 0,
    output_tokens: int = 0,
    cost_micros: int = 0,
    model: str | None = None,
) -> UsageEntry | None:
    """Record the usage of an agent and count it against its budgets. Return None when it is nothing.

    With a run, the sums of the run grow too. `cost_micros` is in millionths of a US dollar. Of an agent on a gateway
    only what the gateway has not measured counts.
    """
    said = Figures(input_tokens, output_tokens, cost_micros)
    if not said:
        return None
    [found] = await rows(
        "SELECT b.organization_id, (SELECT a.gateway_id FROM agents a WHERE a.id = ?) AS gateway_id"
        " FROM boards b WHERE b.id = ?",
        agent_id,
        board_id,
    )
    counted = said if found["gateway_id"] is None else await beyond_known(agent_id, said, "reported")
    entry = UsageEntry(
        organization_id=as_id(found["organization_id"]),
        board_id=board_id,
        agent_id=agent_id,
        run_id=run_id,
        task_id=task_id,
        model=model,
    )
    if run_id is not None:
        await _add_to_run(run_id, said)
    return await _count(entry, counted)


@command("usage.measure")
async def measure_usage(actor: Actor, agent_id: UUID, more: Figures, *, model: str | None = None) -> UsageEntry | None:
    """Record what a gateway measured of an agent; what the agent reported itself does not count again."""
    [agent] = await rows("SELECT organization_id, board_id FROM agents WHERE id = ?", agent_id)
    counted = await beyond_known(agent_id, more, "measured")
    if not counted:
        return None
    entry = UsageEntry(
        organization_id=as_id(agent["organization_id"]),
        board_id=as_id(agent["board_id"]),
        agent_id=agent_id,
        model=model,
        source="gateway",
    )
    return await _count(entry, counted)


async def _count(entry: UsageEntry, counted: Figures) -> UsageEntry:
    entry.day = today()
    entry.input_tokens, entry.output_tokens, entry.cost_micros = counted.input, counted.output, counted.micros
    await insert(entry)
    await _draw_on_budgets(entry)
    signal(entry.organization_id, usage=str(entry.agent_id))
    return entry


async def _add_to_run(run_id: UUID, said: Figures) -> None:
    await rows(
        "UPDATE task_runs SET input_tokens = input_tokens + ?, output_tokens = output_tokens + ?,"
        " cost_micros = cost_micros + ? WHERE id = ?",
        said.input,
        said.output,
        said.micros,
        run_id,
    )


async def _draw_on_budgets(entry: UsageEntry) -> None:
    """Count an entry against every budget that it concerns. The locks make each warning happen once."""
    budgets = concerned(entry.agent_id, entry.board_id, entry.organization_id)
    for budget in await budgets.order_by("id").select_for_update():
        used = entry.input_tokens + entry.output_tokens if budget.unit == "tokens" else entry.cost_micros
        if budget.period == "day" and (budget.used_on or "") < entry.day:
            budget.used_amount = 0
        elif budget.period == "day" and budget.used_on != entry.day:
            continue  # Another process is past midnight already.
        budget.used_amount, budget.used_on = budget.used_amount + used, entry.day
        await mark(budget, entry.day)
        await budget.save(update_fields=["used_amount", "used_on", *MARKS])


async def mark(budget: Budget, day: str) -> None:
    """Record once that a budget is nearly or fully used up. The calling command holds the budget and saves it."""
    state, unit = budget.state(day), "tokens" if budget.unit == "tokens" else "money"
    if state != "ok" and not budget.stands(budget.warned_on, day):
        budget.warned_on, budget.state_at = day, clock.now()
        what = f"The budget of {unit} of {await owner_of(budget)} is used up to {WARN_AT_PERCENT} %."
        record("budget.warning", await scope_of(budget), what, **facts(budget, day))
    if state == "exceeded" and not budget.stands(budget.exceeded_on, day):
        budget.exceeded_on, budget.state_at = day, clock.now()
        what = f"The budget of {unit} of {await owner_of(budget)} is used up."
        record("budget.exceeded", await scope_of(budget), what, **facts(budget, day))


async def owner_of(budget: Budget) -> str:
    """Return the owner of a budget in words: `the agent Vega`."""
    subject_id = {"agent": budget.agent_id, "board": budget.board_id, "organization": budget.organization_id}
    found = await rows(f"SELECT name FROM {budget.subject}s WHERE id = ?", subject_id[budget.subject])
    return " ".join(["the", budget.subject, *(row["name"] for row in found)])


def facts(budget: Budget, day: str) -> dict[str, Any]:
    """Return the data of an event about a budget, with amounts as they are stored."""
    named = {name: getattr(budget, name) for name in ("subject", "unit", "period")}
    return named | {"budget_id": budget.id, "limit": budget.limit_amount, "used": budget.used(day)}


async def scope_of(budget: Budget) -> Scope:
    """Return the scope of an event about a budget: that of an agent belongs to the agent's board."""
    board_id = budget.board_id
    if budget.agent_id is not None:
        [agent] = await rows("SELECT board_id FROM agents WHERE id = ?", budget.agent_id)
        board_id = as_id(agent["board_id"])
    return Scope(budget.organization_id, board_id, agent_id=budget.agent_id, subject_id=budget.id)
