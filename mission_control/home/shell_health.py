"""Tell open pages when a check of /readyz fails, and when it passes again. Each process tells its own readers."""

from quart import Quart, current_app

from mission_control.background.loops import Loop
from mission_control.core.actor import Actor
from mission_control.events import broker
from mission_control.events.listener import DEAF
from mission_control.events.stream import Batch
from mission_control.http import middleware
from mission_control.web.fragments import partial
from mission_control.web.regions import EVERY_PAGE, Concerns, Region, View

KNOWN = "mission_control.failing_checks"
FOR_OTHERS = "Some things may be slow or fail. Owners and admins see why."
WELL = "The server is well again."


async def look(app: Quart | None = None) -> None:
    """Run the checks; signal to all readers of this process when others fail than before."""
    app = app or current_app
    found, running = await middleware.failing(app), broker.current()
    if found == app.extensions.get(KNOWN, {}):
        return
    app.extensions[KNOWN] = found
    if running is not None:
        running.signal_everybody({"health": True})


WATCH = Loop(name="looking at the health of the server", look=look, pause=5.0, when=broker.is_read)


def health_for(actor: Actor) -> str:
    """Return what fails on this server, in sentences; empty while nothing is known to."""
    found: dict[str, str] = current_app.extensions.get(KNOWN, {})
    if not found:
        return ""
    if not actor.administers(actor.organization_id):
        return FOR_OTHERS
    return " ".join(_sentence(check, reason) for check, reason in found.items() if reason != "unknown")


def _sentence(check: str, reason: str) -> str:
    number = reason.partition(" ")[0]
    if check == "migrations" and number.isdigit():
        one = number == "1"
        return f"{number} migration{'' if one else 's'} of the database {'is' if one else 'are'} not applied."
    sentences = {
        "no answer in time": "The database does not answer in time.",
        "cannot be reached": "The database cannot be reached.",
        DEAF: "The connection for news of the database is lost: what changes elsewhere is shown late.",
        "stopped unexpectedly": "The reader of news has stopped: restart the server.",
    }
    return sentences.get(reason) or f"{reason[:1].upper()}{reason[1:]}".removesuffix(".") + "."


async def _shown(view: View) -> str:
    return health_for(view.actor)


async def _changed(view: View, _batch: Batch) -> str:
    sentence = health_for(view.actor)
    spoken = f"The server is degraded. {sentence}" if sentence else WELL
    return partial("[data-health]", sentence, "innerHTML") + partial("#announcements", spoken, "innerHTML")


REGION = Region(
    EVERY_PAGE,
    "[data-health]",
    Concerns[View](signals=("health",)),
    _shown,
    key=lambda view: (view.actor.administers(view.actor.organization_id),),
    changes=_changed,
    swap="innerHTML",
)
