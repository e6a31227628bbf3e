"""The parts of a session's page that change while it is open."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

from quart import Response

from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.gateway_sessions import session_view
from mission_control.gateway_sessions.following import keep_watch
from mission_control.gateway_sessions.session_view import SessionView
from mission_control.gateway_sessions.transcript import read_history
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import visible_gateway
from mission_control.live import broker
from mission_control.live.models import Event
from mission_control.live.stream import Batch
from mission_control.web.fragments import read_ahead, render_macro
from mission_control.web.regions import Concerns, Reads, Region, live_page

PAGE, FRAME, ENTRIES = "gateway-session", "gateway_sessions/frame.html", "gateway_sessions/entries.html"
RECENT = 200
News = Event | dict[str, Any]


def _is_its_own(view: SessionView, news: News) -> bool:
    """Return whether a signal tells something new about the session."""
    return isinstance(news, dict) and news.get("gateway_session") == view.watch


def _is_read_again(view: SessionView, news: News) -> bool:
    """Return whether the history was read again, or the gateway changed."""
    if isinstance(news, Event):
        return news.subject_id == view.gateway.id
    if "gateway_session" in news:
        return _is_its_own(view, news) and ("history" in news or "runs" in news)
    return str(view.gateway.id) in (news.get("gateway_id"), news.get("gateway_back"))


async def _head(view: SessionView) -> str:
    return render_macro(FRAME, "head", view=view, facts=(await view.history()).facts)


async def _notice(view: SessionView) -> str:
    return render_macro(FRAME, "notice_of", view=view, error=(await view.history()).error)


async def _tail(view: SessionView) -> str:
    hidden = session_view.received(view.watch).hidden
    entries = [
        one
        for one in (await view.history()).entries
        if one.position > view.since and (one.run_id not in hidden or one.kind == "user")
    ]
    return render_macro(ENTRIES, "entries", entries=entries, view=view)


async def _once_read(view: SessionView, batch: Batch) -> str | None:
    """Send nothing before the history was read: what the page was opened with stays."""
    _take(view, batch)
    known = session_view.received(view.watch).history
    return "" if known is None or known.error else None


async def _live(view: SessionView) -> str:
    known = session_view.received(view.watch)
    runs = [(run, known.shown(run)) for run in (*known.leaving.values(), *known.runs.values())]
    await read_ahead(*(part.text for _, parts in runs for part in parts if part.kind == "text"))
    return render_macro(ENTRIES, "live", runs=runs, failure=known.failure, view=view)


async def _live_changes(view: SessionView, batch: Batch) -> str | None:
    _take(view, batch)
    return None


def _take(view: SessionView, batch: Batch) -> None:
    known = session_view.take(view.watch, batch.signals)
    if known.must_read or any("gateway_back" in one or "gateway_id" in one for one in batch.signals):
        read_soon(view)


def read_soon(view: SessionView) -> None:
    """Read the history again beside the stream, and let the pages of this process know."""
    known = session_view.received(view.watch)
    known.must_read = True
    if known.reading is None or known.reading.done():
        known.reading = asyncio.create_task(_read(view, known))


async def _read(view: SessionView, known: session_view.Received) -> None:
    while known.must_read:
        known.must_read = False
        known.put(await read_history(view.gateway.id, view.key, RECENT))
        running = broker.current()
        if running is not None:
            running.signal(view.gateway.organization_id, {"gateway_session": view.watch, "history": True})


async def _actions(view: SessionView) -> str:
    history = await view.history()
    is_running = bool(session_view.received(view.watch).runs) or bool(history.facts and history.facts.is_running)
    return render_macro(FRAME, "actions", view=view, is_running=is_running)


async def gateway_now(viewer: Actor, reads: Reads, gateway_id: UUID) -> Gateway | None:
    """Return a gateway for a batch of news, None when it is gone or no longer for the viewer."""
    try:
        found = await reads.get(("gateway", gateway_id), lambda: visible_gateway(viewer, gateway_id))
    except NotFound:
        return None
    return found if viewer.administers(found.organization_id) else None


async def session_stream(view: SessionView) -> Response:
    """Return the stream of a session's page."""

    async def look(viewer: Actor, reads: Reads) -> SessionView | None:
        gateway = await gateway_now(viewer, reads, view.gateway.id)
        if gateway is None:
            return None
        return replace(view, actor=viewer, pages=(PAGE,), active="gateways", reads=reads, gateway=gateway, is_live=True)

    async def follow() -> None:
        read_soon(view)  # what happened before the stream began
        await keep_watch(view.watch, session_view.forget)

    return await live_page(view.actor, look, follow)


ITS_OWN = Concerns[SessionView](signals=("gateway_session",), about=_is_its_own)
READ_AGAIN = Concerns[SessionView](("gateway.",), ("gateway_session", "gateway_id", "gateway_back"), _is_read_again)
REGIONS = (
    Region(PAGE, "#transcript-tail", READ_AGAIN, _tail, changes=_once_read, name="tail"),
    Region(PAGE, "#transcript-live", ITS_OWN, _live, changes=_live_changes, name="live"),
    Region(PAGE, "#session-head", READ_AGAIN, _head, changes=_once_read, name="head"),
    Region(PAGE, "#session-notice", READ_AGAIN, _notice, name="notice"),
    Region(PAGE, "#session-actions", READ_AGAIN, _actions, name="actions"),
)
