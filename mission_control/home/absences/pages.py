"""The full report of an absence as a page, and the cross that closes it on Home."""

from datetime import datetime, timedelta

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.home.absences.commands import own_absence, report_for
from mission_control.home.absences.report import lists_of
from mission_control.home.absences.schemas import AbsenceQuery
from mission_control.home.absences.telling import words_of
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done
from mission_control.web.shell import PaletteEntry, shell_page, signed_in

pages = Blueprint("absence_pages", __name__)
A_DAY = timedelta(days=1)


@pages.get("/absence")
async def report() -> str:
    """Show what happened in the time of the address, else in the last absence, else in the last day."""
    actor = await signed_in()
    since, until = await _time(actor)
    words = words_of(await report_for(actor, AbsenceQuery(since=since, until=until)))
    lists = await lists_of(actor, since, until)
    return await shell_page(actor, "home/report.html", active="home", report=words, lists=lists)


async def _time(actor: Actor) -> tuple[datetime, datetime]:
    since, until = (times.parse_since(request.args.get(name)) for name in ("since", "until"))
    if since is not None and until is not None and since < until:
        return since, until
    now, absence = times.clock_now(), await own_absence(actor)
    return (now - A_DAY, now) if absence is None else (absence.since, absence.until)


@action(pages, "/absence/closing")
async def close_absence_report(outcome: Outcome[None, None]) -> ResponseReturnValue:
    return done("/", toast="Closed. The report stays under “While you were away” in the search.")


ENTRY = PaletteEntry(
    "While you were away", "/absence", "history", "absence night morning report", position=2, searched_only=True
)
