"""What changes usage: reports, and the budgets they draw on."""

from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.command import command, record
from mission_control.core.scope import Scope
from mission_control.database.sql import as_id, rows
from mission_control.usage import policy as policy
from mission_control.usage.models import Budget, UsageEntry
from mission_control.usage.queries import concerned, today, used_by

WARN_AT_PERCENT = 80


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
    """Write down what an agent used up, and what its budgets say to that; None when it is nothing.

    With a run, the run's own sums grow too. `cost_micros` is in millionths of a US dollar.
    """
    if not (input_tokens or output_tokens or cost_micros):
        return None
    [board] = await rows("SELECT organization_id FROM boards WHERE id = ?", board_id)
    entry = UsageEntry(
        organization_id=as_id(board["organization_id"]),
        board_id=board_id,
        agent_id=agent_id,
        run_id=run_id,
        task_id=task_id,
        day=today(),
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cost_micros=cost_micros,
        model=model,
    )
    await entry.save(force_create=True)
    if run_id is not None:
        await _add_to_run(entry)
    await _weigh(entry)
    return entry


async def _add_to_run(entry: UsageEntry) -> None:
    await rows(
        "UPDATE task_runs SET input_tokens = input_tokens + ?, output_tokens = output_tokens + ?,"
        " cost_micros = cost_micros + ? WHERE id = ?",
        entry.input_tokens,
        entry.output_tokens,
        entry.cost_micros,
        entry.run_id,
    )


async def _weigh(entry: UsageEntry) -> None:
    """Look at every budget that an entry draws on, one report after another, so that each line is crossed once."""
    budgets = concerned(entry.agent_id, entry.board_id, entry.organization_id)
    for budget in await budgets.order_by("id").select_for_update():
        await mark(budget, await used_by(budget))


async def mark(budget: Budget, used: int) -> None:
    """Inside a command that holds a budget: write down which lines its use has crossed, and tell it once."""
    day = today()
    for column, crossed in (
        ("warned_on", used * 100 >= budget.limit_amount * WARN_AT_PERCENT),
        ("exceeded_on", used >= budget.limit_amount),
    ):
        told = getattr(budget, column)
        is_told = told == day if budget.period == "day" else told is not None
        if crossed and not is_told:
            setattr(budget, column, day)
            await budget.save(update_fields=[column])
            _record_crossed(budget, column, used)


def scope_of(budget: Budget) -> Scope:
    """Where an event about a budget belongs."""
    return Scope(budget.organization_id, budget.board_id, agent_id=budget.agent_id, subject_id=budget.id)


def _record_crossed(budget: Budget, line: str, used: int) -> None:
    whose = "agent" if budget.agent_id else "board" if budget.board_id else "organization"
    record(
        "budget.warning" if line == "warned_on" else "budget.exceeded",
        scope_of(budget),
        f"The {whose}'s budget of {budget.unit} is used up{f' to {WARN_AT_PERCENT} %' if line == 'warned_on' else ''}.",
        used=used,
        limit=budget.limit_amount,
        unit=budget.unit,
        period=budget.period,
    )
