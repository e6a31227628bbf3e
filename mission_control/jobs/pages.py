"""The page of long work, and what the shell says of it on every page."""

from typing import Any

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from mission_control.accounts.models import User
from mission_control.core.actor import Actor
from mission_control.jobs.models import Job
from mission_control.jobs.queries import list_jobs, own_jobs
from mission_control.jobs.schemas import JobsQuery
from mission_control.live.broker import head_of
from mission_control.web.actions import action
from mission_control.web.forms import done
from mission_control.web.fragments import render_macro
from mission_control.web.outcomes import Outcome
from mission_control.web.regions import EVERY_PAGE, Concerns, Reads, Region, View, live_page, rendered
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("jobs_pages", __name__)
PAGE, WORK = "work", "/work"
SHOWN = 50
NEWS = Concerns[View](signals=("job_id",))


@pages.get(WORK)
async def work() -> str:
    """Show what runs, and what has ended."""
    actor = await signed_in()
    seq = await head_of(actor.organization_id)
    regions = await rendered(PAGE, _view(actor, Reads()))
    return await shell_page(
        actor, "jobs/index.html", active="work", regions=regions, live_url=f"/work/live?after={seq}"
    )


def _view(actor: Actor, reads: Reads) -> View:
    return View(actor=actor, pages=(PAGE,), active="work", reads=reads)


@pages.get(f"{WORK}/live")
async def live() -> Response:
    """Keep the page live."""

    async def look(viewer: Actor, reads: Reads) -> View:
        return _view(viewer, reads)

    return await live_page(await signed_in(), look)


@action(pages, "POST", f"{WORK}/<uuid:job_id>/acknowledgements", performs="acknowledge_job")
async def acknowledge(outcome: Outcome[Job, None]) -> ResponseReturnValue:
    """Mark a result as read."""
    return done(WORK)


@action(pages, "POST", f"{WORK}/acknowledgements", performs="acknowledge_jobs")
async def acknowledge_all(outcome: Outcome[None, None]) -> ResponseReturnValue:
    """Mark all results as read."""
    return done(WORK)


async def _list(view: View) -> str:
    jobs, total = await list_jobs(view.actor, JobsQuery(limit=SHOWN, offset=0))
    own = await own_jobs(view.actor)
    context: dict[str, Any] = {"jobs": jobs, "total": total, "viewer_id": view.actor.user_id}
    people = await User.filter(id__in={job.user_id for job in jobs if job.user_id is not None})
    names = {person.id: person.display_name for person in people}
    return render_macro("jobs/list.html", "list", names=names, unread=len(own.finished), **context)


async def indicator(actor: Actor) -> str:
    """Return what the shell says of a person's long work: nothing, when nothing runs and nothing is unread."""
    return render_macro("jobs/rows.html", "indicator", own=await own_jobs(actor))


async def _indicator(view: View) -> str:
    return await indicator(view.actor)


REGIONS = (
    Region(PAGE, "#work", NEWS, _list),
    Region(EVERY_PAGE, "#own-work", NEWS, _indicator),
    Region(EVERY_PAGE, "#own-work-menu", NEWS, _indicator),
)
