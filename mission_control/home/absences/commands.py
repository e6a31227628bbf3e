"""The absence of a person, and closing what Home says of it, on all devices."""

from datetime import datetime

from mission_control.core import times
from mission_control.core.actor import Actor, rule
from mission_control.core.errors import Invalid, NotFound
from mission_control.database.sql import rows
from mission_control.events.commands import command
from mission_control.events.unit_of_work import signal
from mission_control.home.absences.report import report_of
from mission_control.home.absences.schemas import AbsenceQuery, AbsenceReport
from mission_control.http.absences import Absence, absence_of, record_return
from mission_control.needs.queries import count

NONE = "You were not away: there was a sign of you in the last hours. Name `since` and `until` for another time."


async def own_absence(actor: Actor) -> Absence | None:
    return await absence_of(actor.id, actor.organization_id) if actor.is_user else None


async def report_for(actor: Actor, query: AbsenceQuery) -> AbsenceReport:
    """Read the report of a time, or of the last absence. Raise NotFound when there was none."""
    since, until = query.since, query.until
    if since is None and until is None:
        absence = await own_absence(actor)
        if absence is None:
            raise NotFound(NONE)
        since, until = absence.since, absence.until
    until = until or times.clock_now()
    if since is None or since >= until:
        raise Invalid("`since` has to be before `until`.")
    return await report_of(actor, since, until, (await count(actor)).counts.total)


@rule("absence.close")
def may_close(actor: Actor, thing: object) -> bool:
    """People, for themselves."""
    return actor.is_user


@command("absence.close")
async def close_report(actor: Actor) -> datetime:
    """Close the report of the last absence for the person in this organization; again is a no-op."""
    now = times.clock_now()
    await record_return(actor.id, now)
    await rows(
        "UPDATE organization_members SET report_closed_at = ? WHERE user_id = ? AND organization_id = ?",
        now, actor.id, actor.organization_id,
    )  # fmt: skip
    signal(actor.organization_id, needs_of=str(actor.user_id))
    return now


async def shown_absence(actor: Actor) -> Absence | None:
    """Find the absence that Home tells of now: none once it is closed."""
    absence = await own_absence(actor)
    return None if absence is None or absence.is_closed else absence
