"""Record the usage of agents, change budgets, notify of those that are used up, and start days anew."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from operator import add
from typing import get_args
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.agents.models import WARN_AT_PERCENT, Budget, UsageEntry
from mission_control.agents.usage.prices import set_prices
from mission_control.agents.usage.queries import concerned
from mission_control.agents.usage.schemas import BudgetCreate, RequestUsage, Source, UsageFigures, today
from mission_control.background.loops import Loop
from mission_control.core import times
from mission_control.core.actor import Actor, Scope
from mission_control.core.amounts import inside
from mission_control.core.errors import Conflict, Invalid, existing, invalid_field
from mission_control.core.values import JsonObject
from mission_control.database.records import insert_new
from mission_control.database.sql import Row, as_id, is_postgres, placeholders, rows
from mission_control.events import wakeup_channels
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.reader_wakeups import publish_signal
from mission_control.events.unit_of_work import notify, record, signal

EVENTS = (
    Kind("budget.warning", "A budget is used up to 80 %."),
    Kind("budget.exceeded", "A budget is used up; its agents get no more work."),
    Kind("budget.created", "A budget was created."),
    Kind("budget.updated", "The limit of a budget changed."),
    Kind("budget.deleted", "A budget was deleted."),
)

# Of entries, runs and sessions.
SUMS = ("input_tokens", "output_tokens", "cached_tokens", "written_tokens", "unpriced_tokens", "gaps", "cost_micros")
type Stated = dict[str, list[int]]
SOURCES: tuple[str, ...] = get_args(Source)
NAMES, WHERE = ("input", "output", "micros"), ("measured", "reported")
MARKS = ("warned_on", "exceeded_on", "state_at")


@dataclass(frozen=True, slots=True)
class Figures:
    """Tokens in and out, and millionths of a US dollar."""

    input: int = 0
    output: int = 0
    micros: int = 0

    def __bool__(self) -> bool:
        return bool(self.input or self.output or self.micros)

    def beyond(self, other: "Figures") -> "Figures":
        return Figures(*(max(0, getattr(self, name) - getattr(other, name)) for name in NAMES))

    def with_more(self, other: "Figures") -> "Figures":
        return Figures(*map(add, astuple(self), astuple(other)))

    def smaller(self, other: "Figures") -> "Figures":
        return Figures(*map(min, astuple(self), astuple(other)))

    def larger(self, other: "Figures") -> "Figures":
        return Figures(*map(max, astuple(self), astuple(other)))


async def beyond_known(agent_id: UUID, more: Figures, where: str) -> Figures:
    """Add what was `reported` or `measured`, and return what of it counts. To be called inside a command."""
    added = {f"{place}_{name}": getattr(more, name) if place == where else 0 for place in WHERE for name in NAMES}
    sums = ", ".join(f"{column} = known.{column} + excluded.{column}" for column in added)
    [now] = await rows(
        f"INSERT INTO gateway_agent_usage AS known (agent_id, {', '.join(added)}) VALUES (?, ?, ?, ?, ?, ?, ?)"
        f" ON CONFLICT (agent_id) DO UPDATE SET {sums} RETURNING {', '.join(added)}",
        agent_id,
        *added.values(),
    )
    before = {column: now[column] - added[column] for column in added}
    measured, reported, was_measured, was_reported = (
        Figures(*(int(row[f"{place}_{name}"]) for name in NAMES)) for row in (now, before) for place in WHERE
    )
    return measured.larger(reported).beyond(was_measured.larger(was_reported))


@command("usage.report")
async def report_usage(
    actor: Actor,
    agent_id: UUID,
    *used: RequestUsage | UsageFigures,
    board_id: UUID,
    task_id: UUID | None = None,
    run_id: UUID | None = None,
    session_id: UUID | None = None,
    stated: Stated | None = None,
) -> list[UsageEntry]:
    """Record what an agent used, count it against its budgets, and return what was new: not nothing, nor a known key.

    With a run, its sums grow too. Of an agent on a gateway only what the gateway has not measured counts. `stated` is
    how much each source has said of the session; it grows, and decides what counts.
    """
    [agent] = await rows(
        "SELECT b.organization_id, (SELECT a.gateway_id FROM agents a WHERE a.id = ?) AS gateway_id"
        " FROM boards b WHERE b.id = ?",
        agent_id,
        board_id,
    )
    about = {"board_id": board_id, "agent_id": agent_id, "run_id": run_id, "task_id": task_id, "session_id": session_id}
    organization_id = UUID(str(agent["organization_id"]))
    entries = [
        UsageEntry(
            **figures.figures(),
            **about,
            organization_id=organization_id,
            key=getattr(figures, "key", None),
            source=getattr(figures, "source", SOURCES[-1]),
            **moment_fields(getattr(figures, "at", None)),
        )
        for figures in await _unknown(agent_id, used)
    ]
    entries = [entry for entry in entries if _figures(entry) or entry.gaps]
    await set_prices(organization_id, entries)
    if agent["gateway_id"] is not None:
        for entry in entries:
            _count_only(entry, await beyond_known(agent_id, _figures(entry), "reported"))
    elif stated is not None:
        for entry in entries:
            _count_only(entry, beyond_stated(stated, entry))
    return await _count(entries)


def moment_fields(at: datetime | None) -> Row:
    moment = at or times.clock_now()
    return {"created_at": moment, "day": today(moment)}


def beyond_stated(stated: Stated, entry: UsageEntry) -> Figures:
    """Add an entry to what its source has said of a session, and return what of it counts.

    A source counts nothing where a better one speaks, and a better one only what goes beyond what has been counted.
    """
    mine, counted = (Figures(*stated.get(name, ())) for name in (entry.source, "counted"))
    mine = mine.with_more(_figures(entry))
    stated[entry.source] = [*astuple(mine)]
    if min(SOURCES.index(name) for name in stated if name != "counted") < SOURCES.index(entry.source):
        entry.gaps = 0
        return Figures()
    stated["counted"] = [*astuple(counted.larger(mine))]
    return mine.beyond(counted)


def _figures(entry: UsageEntry) -> Figures:
    return Figures(entry.input_tokens, entry.output_tokens, entry.cost_micros)


def _count_only(entry: UsageEntry, counted: Figures) -> None:
    entry.input_tokens, entry.output_tokens, entry.cost_micros = astuple(counted)
    entry.unpriced_tokens = min(entry.unpriced_tokens, counted.input + counted.output)


async def _unknown(agent_id: UUID, used: Sequence[UsageFigures]) -> list[UsageFigures]:
    """Return what was used except the requests that were reported before, or twice."""
    keyed = {key: figures for figures in used if (key := getattr(figures, "key", None)) is not None}
    if keyed:
        sql = f"SELECT key FROM usage_entries WHERE agent_id = ? AND key IN ({placeholders(len(keyed))})"
        for row in await rows(sql, agent_id, *keyed):
            del keyed[row["key"]]
    return [*keyed.values(), *(figures for figures in used if getattr(figures, "key", None) is None)]


@command("usage.measure")
async def measure_usage(
    actor: Actor,
    agent_id: UUID,
    more: Figures,
    *,
    model: str | None = None,
    cached: int = 0,
    written: int = 0,
    session_id: UUID | None = None,
    run_id: UUID | None = None,
    task_id: UUID | None = None,
    at: datetime | None = None,
) -> UsageEntry | None:
    """Record what a gateway measured of an agent; what the agent reported itself does not count again."""
    [agent] = await rows("SELECT organization_id, board_id FROM agents WHERE id = ?", agent_id)
    whose = {name: as_id(agent[name]) for name in ("organization_id", "board_id")}
    served = {"session_id": session_id, "run_id": run_id, "task_id": task_id}
    entry = UsageEntry(agent_id=agent_id, model=model, source="gateway", **moment_fields(at), **whose, **served)
    entry.input_tokens, entry.output_tokens, entry.cost_micros = astuple(more)
    entry.cached_tokens, entry.written_tokens = cached, written
    await set_prices(entry.organization_id, [entry])
    counted = await beyond_known(agent_id, _figures(entry), "measured")
    if not counted:
        return None
    _count_only(entry, counted)
    await _count([entry])
    return entry


async def _count(entries: Sequence[UsageEntry]) -> list[UsageEntry]:
    """Store entries of one agent and run, and count them against every budget that they concern.

    Return those that were new. The locks of the budgets make each warning happen once.
    """
    for entry in entries:  # of an agent on a gateway only a part may count
        entry.cached_tokens = min(entry.cached_tokens, entry.input_tokens)
        entry.written_tokens = min(entry.written_tokens, entry.input_tokens - entry.cached_tokens)
    day, new = today(), await insert_new(entries)
    if not new:
        return []
    if new[0].run_id is not None:
        await add_to_run(new[0].run_id, new)
    budgets = concerned(new[0].agent_id, new[0].board_id, new[0].organization_id)
    for budget in await budgets.order_by("id").select_for_update():
        if budget.period == "day" and (budget.used_on or "") > day:
            continue  # Another process is past midnight already.
        _add(budget, new, day)
        await mark(budget, day)
        await budget.save(update_fields=["used_amount", "unpriced_tokens", "gaps", "used_on", *MARKS])
    signal(new[0].organization_id, usage=str(new[0].agent_id))
    return new


def _add(budget: Budget, new: Sequence[UsageEntry], day: str) -> None:
    is_daily = budget.period == "day"
    if is_daily and budget.used_on != day:
        budget.used_amount = budget.unpriced_tokens = budget.gaps = 0
    for used in new:
        if not is_daily or used.day == day:  # else it comes late
            tokens = used.input_tokens + used.output_tokens
            budget.used_amount += tokens if budget.unit == "tokens" else used.cost_micros
            budget.unpriced_tokens += used.unpriced_tokens
            budget.gaps += used.gaps
    budget.used_on = day


async def add_to_run(run_id: UUID, entries: Sequence[UsageEntry]) -> None:
    await rows(
        f"UPDATE task_runs SET {', '.join(f'{name} = {name} + ?' for name in SUMS)} WHERE id = ?",
        *(sum(getattr(entry, name) for entry in entries) for name in SUMS),
        run_id,
    )


async def mark(budget: Budget, day: str) -> None:
    """Record once that a budget is nearly or fully used up. The calling command holds the budget and saves it."""
    state, unit = budget.state(day), "tokens" if budget.unit == "tokens" else "money"
    for is_over, column, states in (
        (False, "warned_on", ("warning", "exceeded")),
        (True, "exceeded_on", ("exceeded",)),
    ):
        if state in states and not budget.stands(getattr(budget, column), day):
            setattr(budget, column, day)
            budget.state_at, how_far = times.clock_now(), "" if is_over else f" to {WARN_AT_PERCENT} %"
            what = f"The budget of {unit} of {await owner_of(budget)} is used up{how_far}."
            scope = await scope_of(budget)
            record("budget.exceeded" if is_over else "budget.warning", scope, what, **facts(budget, day))


async def owner_of(budget: Budget) -> str:
    """Return the owner of a budget in words: `the agent Vega`."""
    names = await rows(f"SELECT name FROM {budget.subject}s WHERE id = ?", budget.subject_id)
    return " ".join(["the", budget.subject, *(row["name"] for row in names)])


def facts(budget: Budget, day: str) -> JsonObject:
    named = {name: getattr(budget, name) for name in ("subject", "unit", "period")}
    return named | {"budget_id": budget.id, "limit": budget.limit_amount, "used": budget.used(day)}


async def scope_of(budget: Budget) -> Scope:
    board_id = budget.board_id
    if budget.agent_id is not None:
        [agent] = await rows("SELECT board_id FROM agents WHERE id = ?", budget.agent_id)
        board_id = as_id(agent["board_id"])
    return Scope(budget.organization_id, board_id, agent_id=budget.agent_id, subject_id=budget.id)


@command("budget.manage")
async def create_budget(actor: Actor, organization_id: UUID, new: BudgetCreate) -> Budget:
    """Create a budget; earlier usage counts. Raise Conflict when there is one of the same kind."""
    about = new.model_dump(exclude={"limit"})
    made = Budget(organization_id=organization_id, limit_amount=inside(new.unit, new.limit), **about)
    await _hold_subject(made)
    day, amount = today(), "input_tokens + output_tokens" if made.unit == "tokens" else "cost_micros"
    [used] = await rows(
        f"SELECT COALESCE(SUM({amount}), 0) AS used, COALESCE(SUM(unpriced_tokens), 0) AS unpriced,"
        " COALESCE(SUM(gaps), 0) AS gaps FROM usage_entries"
        f" WHERE {made.subject}_id = ? AND day >= ?",
        made.subject_id,
        day if made.period == "day" else "",
    )
    made.used_amount, made.unpriced_tokens, made.used_on = int(used["used"]), int(used["unpriced"]), day
    made.gaps = int(used["gaps"])
    try:
        async with in_transaction():
            await made.save(force_create=True)
    except IntegrityError:
        raise Conflict("There is a budget of this unit and period already. Change its limit.") from None
    record("budget.created", await scope_of(made), f"Budget made for {await owner_of(made)}.", **facts(made, day))
    await mark(made, day)
    await made.save(update_fields=[*MARKS])
    return made


async def _hold_subject(budget: Budget) -> None:
    """Lock the owner of a budget as reports do, then the organization, so that no report is running."""
    hold, whole = (" FOR KEY SHARE", " FOR UPDATE") if is_postgres() else ("", "")
    for table, subject in (("agents", budget.agent_id), ("boards", budget.board_id)):
        if subject is not None:
            sql = f"SELECT 1 AS one FROM {table} WHERE id = ? AND organization_id = ?{hold}"
            if not await rows(sql, subject, budget.organization_id):
                raise Invalid(f"There is no {budget.subject} with this id in the organization.")
    await rows(f"SELECT 1 AS one FROM organizations WHERE id = ?{whole}", budget.organization_id)


@command("budget.manage")
async def change_limit(actor: Actor, budget: Budget, limit: Decimal) -> Budget:
    """Set the limit of a budget. Its warnings may be recorded again, and waiting agents may go on."""
    budget = await _locked(budget)
    try:
        amount = inside(budget.unit, limit)
    except ValueError as wrong:
        raise invalid_field("limit", str(wrong), str(limit)) from None
    if amount == budget.limit_amount:
        return budget
    day, before = today(), budget.limit_amount
    was_used_up = budget.stands(budget.exceeded_on, day)
    budget.limit_amount, budget.updated_at = amount, times.clock_now()
    budget.warned_on = budget.exceeded_on = None
    changed: JsonObject = {"before": {"limit": before}, "after": {"limit": amount}}
    changed["opens"] = was_used_up and budget.state(day) != "exceeded"
    what = f"Budget changed for {await owner_of(budget)}."
    record("budget.updated", await scope_of(budget), what, **changed, **facts(budget, day))
    await mark(budget, day)
    await budget.save(update_fields=["limit_amount", *MARKS, "updated_at"])
    await _wake_polls_of_boards(budget)
    return budget


@command("budget.manage")
async def delete_budget(actor: Actor, budget: Budget) -> None:
    """Delete a budget."""
    budget = await _locked(budget)
    scope, day = await scope_of(budget), today()
    await Budget.filter(id=budget.id).delete()
    about = facts(budget, day) | {"opens": budget.stands(budget.exceeded_on, day)}
    record("budget.deleted", scope, f"Budget lifted for {await owner_of(budget)}.", **about)
    await _wake_polls_of_boards(budget)


async def _locked(budget: Budget) -> Budget:
    return await existing(Budget.select_for_update().get_or_none(id=budget.id))


async def _wake_polls_of_boards(budget: Budget) -> None:
    condition, subject = "organization_id = ? AND deleted_at IS NULL", budget.organization_id
    if budget.board_id is not None:
        condition, subject = "id = ?", budget.board_id
    elif budget.agent_id is not None:
        condition, subject = "id = (SELECT board_id FROM agents WHERE id = ?)", budget.agent_id
    for row in await rows(f"SELECT id FROM boards WHERE {condition}", subject):
        notify(f"work:{UUID(str(row['id']))}")


async def begin_day(since: datetime, until: datetime) -> float:
    """Wake every waiter of this process when a day has begun; return the seconds until the next, and a moment more."""
    if since.date() != until.date():
        wakeup_channels.channels_notify_all()
        for row in await rows("SELECT DISTINCT organization_id FROM budgets WHERE period = 'day'"):
            await publish_signal(UUID(str(row["organization_id"])), budgets="day")  # for live readers
    midnight = datetime.combine(until.date() + timedelta(days=1), time.min)
    return (midnight - until).total_seconds() + 0.1


MIDNIGHT = Loop(name="beginning a day", look=begin_day, pause=5.0, spans=True)
