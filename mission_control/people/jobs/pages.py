"""The page of long work, and what the shell says of it on every page."""

from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor
from mission_control.events.broker import News
from mission_control.events.models import Event
from mission_control.people.jobs.commands import JobsQuery, Own, list_jobs, own_jobs
from mission_control.people.models import Job, User
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done
from mission_control.web.fragments import PageContext, render_macro
from mission_control.web.lists import Asked, LiveList, Pages
from mission_control.web.regions import EVERY_PAGE, Concerns, Region, View
from mission_control.web.shell import PaletteEntry

pages = Pages("jobs_pages", __name__)
WORK = "/work"
SHOWN = 50
WORDS = {
    "running": "Running", "done": "Done", "partly": "Done, with problems", "failed": "Failed",
    "interrupted": "Interrupted",
}  # fmt: skip


def _is_own(view: View, news: News) -> bool:
    """Whether news may be of the reader's own work: how far the work of others is concerns nobody's shell."""
    return isinstance(news, Event) or news.get("job_of") in (None, str(view.actor.user_id))


OWN = Concerns[View](signals=("job_id",), about=_is_own)


@action(pages, f"{WORK}/<uuid:job_id>/acknowledgements")
async def acknowledge_job(outcome: Outcome[Job, None]) -> ResponseReturnValue:
    """Mark a result as read."""
    return done(WORK)


@action(pages, f"{WORK}/acknowledgements")
async def acknowledge_jobs(outcome: Outcome[None, None]) -> ResponseReturnValue:
    """Mark all results as read."""
    return done(WORK)


async def _listed(actor: Actor, _: Asked) -> PageContext:
    jobs, total = await list_jobs(actor, JobsQuery(limit=SHOWN, offset=0))
    own = await own_jobs(actor)
    people = await User.filter(id__in={job.user_id for job in jobs if job.user_id is not None})
    names = {person.id: person.display_name for person in people}
    return {"jobs": jobs, "total": total, "viewer_id": actor.user_id, "names": names, "unread": len(own.finished)}


LiveList(
    pages=pages, place="work", path=WORK, template="people/jobs/index.html", read=_listed, blocks=("work",),
    news=Concerns[View](signals=("job_id",)),
)  # fmt: skip


async def _own(view: View) -> Own:
    return await view.reads.get(("own jobs", view.actor.user_id), lambda: own_jobs(view.actor))


def indicator(own: Own) -> str:
    """Return what the shell says of a person's long work: nothing, when nothing runs and nothing is unread."""
    return render_macro("people/jobs/rows.html", "indicator", own=own)


async def _indicator(view: View) -> str:
    return indicator(await _own(view))


def ended_work(own: Own) -> str:
    """Return what pages say once, of what ended a moment ago."""
    return render_macro("people/jobs/ended.html", "ended", jobs=own.just_ended, words=WORDS, key=_key_of_end)


def newest_ended(own: Own) -> dict[str, str] | None:
    """Return what a browser says of what ended last, None when nothing did a moment ago."""
    if not own.just_ended:
        return None
    job = own.just_ended[0]
    result = job.result or {}
    title, url = f"{job.title}: {WORDS[job.outcome].lower()}", result.get("url") or "/work"
    return {"id": _key_of_end(job), "title": title, "summary": result.get("summary") or job.error or "", "url": url}


def _key_of_end(job: Job) -> str:
    """A setup that failed may run again and end again, which is news again."""
    return f"ended-{job.id}-{job.finished_at:%H%M%S}"


async def _ended(view: View) -> str:
    return ended_work(await _own(view))


REGIONS = (
    Region(EVERY_PAGE, "#own-work", OWN, _indicator),
    Region(EVERY_PAGE, "#own-work-menu", OWN, _indicator),
    Region(EVERY_PAGE, "#ended-work", OWN, _ended),
)


ENTRY = PaletteEntry("Running and finished work", "/work", "hourglass", "jobs imports syncs progress", 90)
