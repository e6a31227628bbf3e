"""The page of a session of an agent: what was asked and done in it, turn by turn, where it runs, and what it cost."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from urllib.parse import urlencode
from uuid import UUID

from quart import Blueprint, Response, request

from mission_control.agents.usage.queries import sums_of_session, windows_of
from mission_control.approvals.models import Approval
from mission_control.approvals.needs import asked_items
from mission_control.boards.models import Board
from mission_control.boards.pages import on_board
from mission_control.boards.parking import ASK_PAGE
from mission_control.boards.queries import present
from mission_control.core.actor import Actor
from mission_control.core.amounts import WORDS
from mission_control.core.programs import PROGRAMS
from mission_control.core.values import Paging
from mission_control.database.sql import Row, as_id, as_moment, rows
from mission_control.events.broker import News, head_of
from mission_control.events.models import Event
from mission_control.events.stream import Batch
from mission_control.runs.notes.commands import notes_of_session
from mission_control.runs.sessions.queries import (
    IS_STOPPED,
    ActivityQuery,
    ActivityRead,
    activities_of,
    session_read,
    visible_session,
)
from mission_control.runs.sessions.view import (
    STATES,
    Turn,
    acts_of,
    changed_files,
    differences_of,
    mode_of,
    notes_as_acts,
    plan_of,
    program_of,
    state_of,
    turns_of,
)
from mission_control.tasks.board.view import Rights
from mission_control.web.fragments import partial, render_macro
from mission_control.web.lists import number_asked
from mission_control.web.regions import Concerns, Reads, Region, View, live_page, rendered
from mission_control.web.shell import shell_page

pages = Blueprint("session_pages", __name__)
SESSION = "/boards/<uuid:board_id>/sessions/<uuid:session_id>"
PAGE, TEMPLATE = "session", "runs/session.html"
SHOWN, MOST_SEARCHED, AT_ONCE = 200, 2_000, 500
LONGEST_SEARCH = 200
MOMENTS = ("state_at", "started_at", "last_seen_at", "ended_at", "doing_at", "stopped_at", "attached_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView(View):
    """The page of a session as somebody sees it; `word` is searched for, `before` shows what is older."""

    board: Board
    rights: Rights
    session_id: UUID
    word: str = ""
    before: int = 0

    @property
    def url(self) -> str:
        return f"/boards/{self.board.id}/sessions/{self.session_id}"

    @property
    def key(self) -> Hashable:
        return self.session_id, self.rights, self.word, self.before

    async def session(self) -> Row:
        return await self.reads.get(("session", self.session_id), lambda: _session(self.session_id))

    async def items(self) -> tuple[list[ActivityRead], int]:
        which = self.session_id, bool(self.word), self.before
        return await self.reads.get(("session-items", *which), lambda: _items(*which))

    async def turns(self) -> list[Turn]:
        return await self.reads.get(("session-turns", self.session_id, self.word, self.before), self._turns)

    async def _turns(self) -> list[Turn]:
        session, (items, _) = await self.session(), await self.items()
        is_open = session["ended_at"] is None and not self.before
        first = min((item.at for item in items), default=None)
        shown = [one for one in await self.notes() if first is None or one["created_at"] >= first]
        acts, notes = acts_of(items, self.word, is_open=is_open), notes_as_acts(reversed(shown), self.word)
        return turns_of(acts, notes, is_searched=bool(self.word))

    async def notes(self) -> list[Row]:
        if self.before:
            return []
        key = ("session-notes", self.session_id)
        return (await self.reads.get(key, lambda: notes_of_session(self.session_id, Paging(limit=50, offset=0))))[0]

    def query(self) -> str:
        asked = {"q": self.word, "before": str(self.before or "")}
        return urlencode({name: value for name, value in asked.items() if value})


# Whether a session serves a run that goes on, whether a person stopped its turn, and when a call was refused since.
STANDING = (
    f"SELECT r.id IS NOT NULL AS has_run, {IS_STOPPED} AS is_stopped, (SELECT MAX(a.at) FROM session_activities a"
    " WHERE a.session_id = s.id AND a.at >= s.stopped_at AND a.state = 'refused') AS refused_at"
    " FROM agent_sessions s LEFT JOIN task_runs r ON r.id = s.run_id AND r.ended_at IS NULL WHERE s.id = ?"
)


async def _session(session_id: UUID) -> Row:
    session = await session_read(session_id)
    run = {"ask_page": None}
    if session["state"] == "waiting" and session["run_id"] is not None:
        asks = f"SELECT {ASK_PAGE} AS ask_page, r.ready_at FROM task_runs r WHERE r.id = ?"
        [run] = await rows(asks, as_id(session["run_id"]))
    [standing] = await rows(STANDING, session_id)
    return (
        session
        | {name: as_moment(session[name]) for name in MOMENTS}
        | run
        | {
            "has_run": bool(standing["has_run"]),
            "is_stopped": bool(standing["is_stopped"]),
            "refused_at": as_moment(standing["refused_at"]),
            "shown_state": state_of(session | run),
            "steps": plan_of(session),
            "program": program_of(session),
            "mode": mode_of(session),
            "prompts": PROMPTS if await _is_asked_there(session) else "",
        }
    )


# Where what a program asks is answered, if not here; `work` asks here, whatever it runs.
PROMPTS = "answered at its keyboard; run it by “work” to answer them here"


async def _is_asked_there(session: Row) -> bool:
    program = PROGRAMS.get(session["client"])
    asks = session["state"] == "waiting" and program is not None and not program.answers
    return asks and not await Approval.filter(session_id=session["id"], status="pending").exists()


async def _items(session_id: UUID, is_search: bool, before: int) -> tuple[list[ActivityRead], int]:
    found, total, first, most = list[ActivityRead](), 0, before or None, MOST_SEARCHED if is_search else SHOWN
    while len(found) < most:
        page = await activities_of(session_id, ActivityQuery(limit=min(AT_ONCE, most - len(found)), before=first))
        found, total = [*page.items, *found], page.total
        if not page.items or page.items[0].seq <= 1:
            break
        first = page.items[0].seq
    return found, total


async def _asked(board_id: UUID, session_id: UUID) -> SessionView:
    actor, board = await on_board(board_id)
    await visible_session(actor, board_id, session_id)
    return SessionView(
        actor=actor, pages=(PAGE,), active="agents", board=board, rights=Rights.of(actor, board),
        session_id=session_id, word=request.args.get("q", "").strip()[:LONGEST_SEARCH], before=number_asked("before"),
    )  # fmt: skip


@pages.get(SESSION)
async def show(board_id: UUID, session_id: UUID) -> str:
    view = await _asked(board_id, session_id)
    seq = await head_of(view.board.organization_id)  # before everything that the page shows
    live_url = f"{view.url}/live?{view.query()}&after={seq}"
    found = sum(turn.found for turn in await view.turns()) if view.word else 0
    context = {"view": view, "session": await view.session(), "found": found, "regions": await rendered(PAGE, view)}
    return await shell_page(view.actor, TEMPLATE, active="agents", live_url=live_url, **context)


@pages.get(f"{SESSION}/live")
async def live(board_id: UUID, session_id: UUID) -> Response:
    asked = await _asked(board_id, session_id)

    async def look(viewer: Actor, reads: Reads) -> SessionView | None:
        board = await present(asked.board)
        if board is None or not viewer.reads(board):
            return None
        return replace(asked, actor=viewer, reads=reads, board=board, rights=Rights.of(viewer, board))

    return await live_page(asked.actor, look, is_shared=True)


PARTS, ROWS = "runs/session_parts.html", "approvals/rows.html"


async def head(view: SessionView) -> str:
    return render_macro(PARTS, "head", view=view, session=await view.session(), states=STATES)


async def earlier(view: SessionView) -> str:
    items, total = await view.items()
    turns = await view.turns()
    older = f"{view.url}?before={items[0].seq}" if items and items[0].seq > 1 and not view.word else ""
    context = {"view": view, "turns": turns[:-1], "older": older, "total": total}
    return render_macro(PARTS, "earlier", **context)


async def newest(view: SessionView) -> str:
    turns = await view.turns()
    return render_macro(PARTS, "newest", turn=turns[-1] if turns else None, session=await view.session())


async def side(view: SessionView) -> str:
    items, _ = await view.items()
    inner = await rows(
        "SELECT id, title, agent_name, doing FROM agent_sessions WHERE parent_id = ? ORDER BY started_at, id LIMIT 50",
        view.session_id,
    )
    files, sums = changed_files(acts_of(items)), await sums_of_session(view.session_id)
    session = await view.session()
    differences = differences_of(session["usage_sources"])
    context = {"session": session, "files": files, "inner": inner, "sums": sums, "differences": differences}
    context["words"] = WORDS
    context["windows"] = windows_of(session["usage_windows"])
    return render_macro("runs/session_side.html", "side", view=view, **context)


async def steer(view: SessionView) -> str:
    return render_macro(PARTS, "steer", view=view, session=await view.session())


async def asks(view: SessionView) -> str:
    if view.before:
        return ""
    waiting = "SELECT id FROM approvals WHERE session_id = ? AND status = 'pending' ORDER BY created_at, id"
    ids = [UUID(str(row["id"])) for row in await rows(waiting, view.session_id)]
    found = await asked_items(view.actor, [view.board], ids)
    return "".join(render_macro(ROWS, "approval_row", item=one, next_url=view.url, show_board=False) for one in found)


async def own_changes(view: SessionView, batch: Batch) -> str | None:
    session = await view.session()
    own = {str(session[name]) for name in ("id", "task_id", "agent_id") if session[name] is not None}
    named = {str(one) for event in batch.events for one in (event.subject_id, event.task_id)}
    named |= {
        str(signal[name])
        for signal in batch.signals
        for name in ("session_id", "agent_id", "inbox_of")
        if name in signal
    }
    return None if own & named else ""


async def newest_changes(view: SessionView, batch: Batch) -> str | None:
    """Return the turns before it too, when the newest turn has just begun: it was not on the page."""
    if await own_changes(view, batch) is not None:
        return ""
    items, _ = await view.items()
    turns = await view.turns()
    began = len(turns) > 1 and (items[-1].at - turns[-1].at).total_seconds() < JUST_BEGUN
    if not began:
        return None
    return partial("#session-earlier", await earlier(view)) + partial("#session-newest", await newest(view))


JUST_BEGUN = 30  # seconds


def _is_about(view: SessionView, news: News) -> bool:
    if not isinstance(news, Event):
        has_other = news.get("session_id", str(view.session_id)) != str(view.session_id)
        return "inbox_of" in news or (news.get("board_id") == str(view.board.id) and not has_other)
    return news.board_id == view.board.id


def _key(view: SessionView) -> Hashable:
    return view.key


NEWS = Concerns[SessionView](("session.", "task."), ("session_id", "agent_id", "inbox_of"), _is_about)
ASKS = Concerns[SessionView](("approval.",), (), _is_about)
REGIONS = (
    Region(PAGE, "#session-head", NEWS, head, _key, own_changes, name="head"),
    Region(PAGE, "#session-earlier", Concerns(), earlier, _key, name="earlier"),
    Region(PAGE, "#session-newest", NEWS, newest, _key, newest_changes, name="newest"),
    Region(PAGE, "#session-asks", ASKS, asks, _key, name="asks"),
    Region(PAGE, "#session-side", NEWS, side, _key, own_changes, name="side"),
    Region(PAGE, "#session-steer", NEWS, steer, _key, own_changes, name="steer"),
)
