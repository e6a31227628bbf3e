"""The sessions of a gateway as pages: the list, and one with its transcript, kept live."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from urllib.parse import quote
from uuid import UUID

from pydantic import Field
from quart import Blueprint, Response, request

from mission_control.agents.page_frame import AGENT_PAGE, Viewed
from mission_control.core.actor import Actor, require
from mission_control.core.errors import NotFound
from mission_control.core.values import new_id, whole_number
from mission_control.events import broker
from mission_control.events.broker import News, head_of
from mission_control.events.models import Event
from mission_control.events.stream import Batch
from mission_control.gateway_agents.sessions import view as session_view
from mission_control.gateway_agents.sessions.api import GatewaySessionAbortRequest
from mission_control.gateway_agents.sessions.following import LIST, is_watched_here, keep_watch, watch_id
from mission_control.gateway_agents.sessions.reading import Reach
from mission_control.gateway_agents.sessions.transcript import read_history, settled_before
from mission_control.gateway_agents.sessions.view import (
    MOST_SHOWN,
    SHOWN,
    SessionView,
    agent_of_session,
    session_url,
    sessions_list,
)
from mission_control.gateways.models import Gateway
from mission_control.gateways.pages import GATEWAY_PAGE
from mission_control.gateways.pages import Viewed as ViewedGateway
from mission_control.gateways.queries import visible_gateway
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Form, done
from mission_control.web.fragments import read_ahead, render_macro
from mission_control.web.regions import Concerns, Reads, Region, View, live_page, rendered
from mission_control.web.shell import shell_page, signed_in
from mission_control.web.tabs import Tab


def leads_to(viewed: Viewed) -> str:
    agent = viewed.agent
    if agent.gateway_id is None or not agent.openclaw_session_id:
        return ""
    return session_url(agent.gateway_id, agent.openclaw_session_id)


async def render(viewed: Viewed) -> str:
    return render_macro("gateway_agents/sessions/agent.html", "tab", url=leads_to(viewed), viewed=viewed)


TAB = Tab(AGENT_PAGE, "session", "Session", render, leads_to=leads_to)


PAGE, FRAME, ENTRIES = "gateway-session", "gateway_agents/sessions/frame.html", "gateway_agents/sessions/entries.html"
LIST_PAGE = "gateway-sessions"
RECENT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView(View):
    gateway: Gateway
    search: str = ""


def _is_its_own(view: SessionView, news: News) -> bool:
    return isinstance(news, dict) and news.get("gateway_session") == view.watch


def _is_read_again(view: SessionView, news: News) -> bool:
    if isinstance(news, dict) and "gateway_session" in news:
        return _is_its_own(view, news) and ("history" in news or "runs" in news)
    return _is_about_gateway(view, news)


def _is_about_gateway(view: SessionView | ListView, news: News) -> bool:
    if isinstance(news, Event):
        return news.subject_id == view.gateway.id
    return str(view.gateway.id) in (news.get("gateway_id"), news.get("gateway_back"))


async def _head(view: SessionView) -> str:
    return render_macro(FRAME, "head", view=view, facts=(await view.history()).facts)


async def _notice(view: SessionView) -> str:
    return render_macro(FRAME, "notice_of", view=view, error=(await view.history()).error)


async def _tail(view: SessionView) -> str:
    hidden = session_view.received(view.watch).hidden
    entries = [
        entry
        for entry in (await view.history()).entries
        if entry.position > view.since and (entry.run_id not in hidden or entry.kind == "user")
    ]
    return render_macro(ENTRIES, "entries", entries=entries, view=view)


async def _once_read(view: SessionView, batch: Batch) -> str | None:
    """Send nothing before the history was read: what the page was opened with stays."""
    _take(view, batch)
    history = session_view.received(view.watch).history
    return "" if history is None or history.error else None


async def _live(view: SessionView) -> str:
    received = session_view.received(view.watch)
    runs = [(run, received.shown(run)) for run in (*received.leaving.values(), *received.runs.values())]
    await read_ahead(*(part.text for _, parts in runs for part in parts if part.kind == "text"))
    return render_macro(ENTRIES, "live", runs=runs, failure=received.failure, view=view)


async def _live_changes(view: SessionView, batch: Batch) -> str | None:
    _take(view, batch)
    return None


def _take(view: SessionView, batch: Batch) -> None:
    received = session_view.received(view.watch)
    for signal in batch.signals:
        if signal.get("gateway_session") == view.watch:
            received.take(signal)
    if received.must_read or any("gateway_back" in signal or "gateway_id" in signal for signal in batch.signals):
        _read_soon(view)


def _read_soon(view: SessionView) -> None:
    """Read the history again beside the stream, and let the pages of this process know."""
    received = session_view.received(view.watch)
    received.must_read = True
    if received.reading is None or received.reading.done():
        received.reading = asyncio.create_task(_read(view, received))


async def _read(view: SessionView, received: session_view.Received) -> None:
    while received.must_read:
        received.must_read = False
        received.put(await read_history(view.gateway.id, view.key, RECENT))
        running = broker.current()
        if running is not None:
            running.signal(view.gateway.organization_id, {"gateway_session": view.watch, "history": True})


async def _actions(view: SessionView) -> str:
    history = await view.history()
    is_running = bool(session_view.received(view.watch).runs) or bool(history.facts and history.facts.is_running)
    return render_macro(FRAME, "actions", view=view, is_running=is_running)


async def _stream[V: (SessionView, ListView)](
    view: V, page: str, follow: Callable[[], Coroutine[object, object, None]]
) -> Response:

    async def look(viewer: Actor, reads: Reads) -> V | None:
        try:
            gateway = await reads.get(("gateway", view.gateway.id), lambda: visible_gateway(viewer, view.gateway.id))
        except NotFound:
            return None
        if not viewer.administers(gateway.organization_id):
            return None
        return replace(view, actor=viewer, pages=(page,), active="gateways", reads=reads, gateway=gateway)

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


pages = Blueprint("gateway_sessions_pages", __name__)
SESSIONS = "/gateways/<uuid:gateway_id>/sessions"
SESSION = f"{SESSIONS}/<string:session_id>"
LONGEST_KEY = 1_000


async def gateway_of_page(actor: Actor, gateway_id: UUID, **_: object) -> Gateway:
    return await visible_gateway(actor, gateway_id)


async def _on_gateway(gateway_id: UUID) -> tuple[Actor, Gateway]:
    actor = await signed_in()
    gateway = await visible_gateway(actor, gateway_id)
    require(actor, "gateway_session.read", Reach(gateway))
    return actor, gateway


async def _session_asked(gateway_id: UUID, key: str) -> SessionView:
    actor, gateway = await _on_gateway(gateway_id)
    if len(key) > LONGEST_KEY:
        raise NotFound()

    def number(name: str, most: int, otherwise: int) -> int:
        found = whole_number(request.args.get(name), 17)
        return otherwise if found is None else min(found, most)

    shown, since = number("show", MOST_SHOWN, SHOWN), number("since", 10**17, 0)
    return SessionView(actor=actor, gateway=gateway, key=key, shown=shown, since=since)


@pages.get(SESSION)
async def session(gateway_id: UUID, session_id: str) -> str:
    view = await _session_asked(gateway_id, session_id)
    seq = await head_of(view.actor.organization_id)  # before everything that the page shows
    if not is_watched_here(view.watch):
        session_view.forget(view.watch)
    view = replace(view, agent=await agent_of_session(view.gateway, view.key))
    history = await view.history()
    view = replace(view, since=settled_before(history.entries, bool(history.facts and history.facts.is_running)))
    settled = [entry for entry in history.entries if entry.position <= view.since]
    live_url = f"{view.url}/live?after={seq}&since={view.since}&show={view.shown}"
    return await shell_page(
        view.actor, "gateway_agents/sessions/show.html", active="gateways", view=view, history=history, settled=settled,
        regions=await rendered(PAGE, view), message_key=str(new_id()), live_url=live_url,
    )  # fmt: skip


@pages.get(f"{SESSION}/live")
async def live(gateway_id: UUID, session_id: str) -> Response:
    view = await _session_asked(gateway_id, session_id)
    view = replace(view, agent=await agent_of_session(view.gateway, view.key), is_live=True)

    async def follow() -> None:
        _read_soon(view)  # what happened before the stream began
        await keep_watch(view.watch, session_view.forget)

    return await _stream(view, PAGE, follow)


class MessageForm(Form):
    """What a person writes to an agent."""

    content: str = Field(min_length=1, max_length=100_000)
    idempotency_key: str | None = Field(None, max_length=200)


@action(pages, f"{SESSION}/messages", form=MessageForm, at=gateway_of_page)
async def send_gateway_session_message(outcome: Outcome[object, MessageForm]) -> Response:
    """The message was sent. The page shows it already; the transcript takes its place when the agent got it."""
    return done(session_url(outcome.ids["gateway_id"], outcome.ids["session_id"]))


@action(pages, f"{SESSION}/aborts", at=gateway_of_page)
async def abort_gateway_session(outcome: Outcome[object, GatewaySessionAbortRequest]) -> Response:
    """The run was ended, or there was none."""
    sentence = "Stopped." if outcome.answer.run_ids else "Nothing was running."
    return done(session_url(outcome.ids["gateway_id"], outcome.ids["session_id"]), sentence)


GATEWAY_TAB = Tab(GATEWAY_PAGE, "sessions", "Sessions")


@pages.get(SESSIONS)
async def sessions(gateway_id: UUID) -> str:
    actor, gateway = await _on_gateway(gateway_id)
    view = ListView(actor=actor, gateway=gateway, search=request.args.get("q", ""))
    seq = await head_of(actor.organization_id)  # before everything that the page shows
    live_url = f"/gateways/{gateway_id}/sessions/live?after={seq}&q={quote(view.search, safe='')}"
    return await shell_page(
        actor, "gateway_agents/sessions/index.html", active="gateways", gateway=gateway, search=view.search,
        regions=await rendered(LIST_PAGE, view), live_url=live_url,
    )  # fmt: skip


@pages.get(f"{SESSIONS}/live")
async def sessions_live(gateway_id: UUID) -> Response:
    actor, gateway = await _on_gateway(gateway_id)
    view = ListView(actor=actor, gateway=gateway, search=request.args.get("q", ""))
    return await _stream(view, LIST_PAGE, lambda: keep_watch(watch_id(gateway_id, LIST), lambda _: None))


async def _sessions(view: ListView) -> str:
    return render_macro(
        "gateway_agents/sessions/list.html", "sessions", found=await sessions_list(view.gateway, view.search)
    )


def _is_about(view: ListView, news: News) -> bool:
    is_its_list = isinstance(news, dict) and news.get("gateway_sessions") == watch_id(view.gateway.id, LIST)
    return is_its_list or _is_about_gateway(view, news)


def _of_frame(part: str, *tab: str) -> Region[ListView]:
    async def html(view: ListView) -> str:
        return GATEWAY_PAGE.part(part, ViewedGateway(view.actor, view.gateway), *tab)

    return Region(LIST_PAGE, f"#gateway-{part}", OF_GATEWAY, html, name=part)


OF_GATEWAY = Concerns[ListView](("gateway.",), ("gateway_id",), _is_about_gateway)
NEWS = Concerns[ListView](("gateway.",), ("gateway_sessions", "gateway_id"), _is_about)
LIST_REGIONS = (
    _of_frame("head"),
    _of_frame("tabs", GATEWAY_TAB.key),
    Region(
        LIST_PAGE,
        "#gateway-sessions",
        NEWS,
        _sessions,
        key=lambda view: (view.gateway.id, view.search),
        name="sessions",
    ),
)
