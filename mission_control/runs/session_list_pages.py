"""The sessions of agents on all boards that somebody can read, by what they wait for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from quart import request

from mission_control.agents.usage_queries import MICROS, money
from mission_control.boards.queries import on_readable_boards, shortly
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.database.sql import Row, as_moment, contains, rows
from mission_control.runs.session_queries import COLUMNS, OWN, RELATIONS, signs
from mission_control.runs.session_view import STATES, program_of, state_of
from mission_control.web.lists import LiveList, Pages
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import PaletteEntry

MOST, LONGEST_SEARCH = 200, 200
ENDED_FOR = timedelta(days=1)
GROUPS = (
    ("asks", "Asks people", "stands still until somebody answers", ("waiting",)),
    ("works", "Works", "", ("working",)),
    ("stands", "Stands still", "no sign, or the same again and again", ("stuck", "lost")),
    ("idle", "Waits for its person", "the turn is over", ("idle",)),
    ("ended", "Ended", "in the last day", ("ended",)),
)
WORDS = "COALESCE(s.title, '') || ' ' || COALESCE(s.doing, '') || ' ' || s.agent_name || ' ' || s.client"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is searched for."""

    text: str

    @classmethod
    def here(cls) -> "Wanted":
        return cls(request.args.get("q", "").strip()[:LONGEST_SEARCH])


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session in a line of the list."""

    url: str
    agent_name: str
    title: str
    now: str
    place: str
    task: str
    cost: str
    since: datetime
    glyph: str
    tone: str


async def sessions_of(actor: Actor, text: str) -> list[Row]:
    """Return the sessions that have not ended, and those that ended lately, the newest sign first."""
    readable, values = on_readable_boards(actor, actor.organization_id, "s.board_id")
    words = text.lower().split()
    matching = "".join(f" AND {contains(WORDS)}" for _ in words)
    found = await rows(
        f"SELECT {COLUMNS}, b.name AS board_name{RELATIONS} JOIN boards b ON b.id = s.board_id"
        f" WHERE b.organization_id = ? AND b.deleted_at IS NULL{readable} AND s.parent_id IS NULL"
        f" AND (s.ended_at IS NULL OR s.ended_at >= ?){matching} ORDER BY s.last_seen_at DESC, s.id LIMIT {MOST}",
        actor.organization_id,
        *values,
        times.clock_now() - ENDED_FOR,
        *words,
    )
    now = times.clock_now()
    return [row | signs(row, now) for row in found]


def line_of(row: Row) -> SessionLine:
    state = state_of(row)
    _, glyph, tone = STATES[state]
    doing = shortly(row["doing"] or "")
    said = {
        "stuck": f"{row['failures']} times: {shortly(row['failing'] or row['doing'] or '')}",
        "lost": f"last: {doing}" if doing else "",
        "ended": row["end_reason"] or doing,
    }
    program = "" if row["client"] == OWN else program_of(row)
    where = ", ".join(filter(None, (row["board_name"], row["host_label"] or program, row["cwd_label"])))
    used = row["input_tokens"] + row["output_tokens"]
    since = row["ended_at"] if state == "ended" else row["parked_at"] if state == "waiting" else row["last_seen_at"]
    return SessionLine(
        url=f"/boards/{row['board_id']}/sessions/{row['id']}",
        agent_name=row["agent_name"],
        title=row["title"] or row["task_title"] or "",
        now=said.get(state, doing),
        place=where,
        task=f"#{row['task_number']}" if row["task_number"] else "no task",
        cost=money(row["cost_micros"] / MICROS) if row["cost_micros"] else "not known" if used else "",
        since=as_moment(since or row["last_seen_at"]) or times.clock_now(),
        glyph=glyph,
        tone=tone,
    )


async def _listed(actor: Actor, asked: Wanted) -> dict[str, object]:
    by_state: dict[str, list[SessionLine]] = {}
    for row in await sessions_of(actor, asked.text):
        by_state.setdefault(state_of(row), []).append(line_of(row))
    groups = [
        (key, name, note, [line for state in states for line in by_state.get(state, ())])
        for key, name, note, states in GROUPS
    ]
    return {"groups": [group for group in groups if group[3]], "text": asked.text}


pages = Pages("session_list_pages", __name__)
LiveList(
    pages=pages, place="agents", path="/agents/sessions", template="runs/sessions.html", read=_listed,
    asks=Wanted.here, blocks=("sessions",), news=Concerns[View](("session.", "task.", "board."), ("session_id",)),
)  # fmt: skip
ENTRY = PaletteEntry("Sessions", "/agents/sessions", "activity", "agents work live", position=31)
