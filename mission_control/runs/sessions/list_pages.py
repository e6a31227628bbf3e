"""The sessions of agents on all boards that somebody can read, by what they wait for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from quart import request

from mission_control.boards.queries import on_readable_boards, shortly
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.amounts import MICROS, spent
from mission_control.database.sql import Row, Values, as_moment, contains, rows
from mission_control.runs.sessions.queries import COLUMNS, OWN, RELATIONS, signs
from mission_control.runs.sessions.view import STATES, program_of, state_of
from mission_control.web.fragments import PageContext
from mission_control.web.lists import LiveList, Pages
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import PaletteEntry

MOST, LONGEST_SEARCH = 200, 200
ENDED_FOR, SEARCHED_FOR = timedelta(days=1), timedelta(days=30)
# What a search looks through: the newest sessions, and the newest activities of the newest of them.
SEARCHED, SEARCHED_INSIDE, SEARCHED_ACTIVITIES = 500, 50, 200
GROUPS = (
    ("asks", "Asks people", "stands still until somebody answers", ("waiting",)),
    ("works", "Works", "", ("ready", "working")),
    ("stands", "Stands still", "no sign, or the same again and again", ("stuck", "lost")),
    ("idle", "Waits for its person", "the turn is over", ("idle",)),
    ("ended", "Ended", "in the last day", ("ended",)),
)
WORDS = "s.agent_name || ' ' || s.client" + "".join(
    f" || ' ' || COALESCE({name}, '')"
    for name in ("s.title", "s.doing", "s.branch", "s.host_label", "s.cwd_label", "t.title", "b.name")
)


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


# Since when a session is so, where that is not its last sign.
MOMENTS = {"waiting": "parked_at", "ready": "ready_at", "ended": "ended_at"}


async def sessions_of(actor: Actor, text: str, most: int = MOST) -> list[Row]:
    """Return the sessions that have not ended, and those that ended lately, the newest sign first.

    With a text those of the last month in which each word occurs: in what is known of them, or in what they did. Those
    that only looked whether a connection works are found by a text alone.
    """
    readable, single = on_readable_boards(actor, actor.organization_id, "x.board_id")
    words, since = text.lower().split(), times.clock_now() - (SEARCHED_FOR if text.strip() else ENDED_FOR)
    readable += "" if words else " AND NOT x.is_check"
    newest = (
        "s.id IN (SELECT x.id FROM agent_sessions x JOIN boards p ON p.id = x.board_id WHERE p.organization_id = ?"
        f" AND p.deleted_at IS NULL{readable} AND x.parent_id IS NULL AND (x.ended_at IS NULL OR x.ended_at >= ?)"
        " ORDER BY x.last_seen_at DESC, x.id LIMIT {})"
    )
    inside = (
        f"{newest.format(SEARCHED_INSIDE)} AND EXISTS (SELECT 1 FROM session_activities a WHERE a.session_id = s.id"
        f" AND a.seq > s.seq - {SEARCHED_ACTIVITIES} AND {contains('a.title')})"
    )
    which: Values = [actor.organization_id, *single, since]
    found = await rows(
        f"SELECT {COLUMNS}, b.name AS board_name{RELATIONS} JOIN boards b ON b.id = s.board_id"
        f" WHERE {newest.format(SEARCHED)}{f' AND ({contains(WORDS)} OR {inside})' * len(words)}"
        f" ORDER BY s.last_seen_at DESC, s.id LIMIT {most}",
        *which,
        *(value for word in words for value in (word, *which, word)),
    )
    now = times.clock_now()
    return [row | signs(row, now) for row in found]


def line_of(row: Row) -> SessionLine:
    state = state_of(row)
    _, glyph, tone = STATES[state]
    doing = shortly(row["doing"] or "")
    said = {
        "ready": "has its answer and goes on",
        "stuck": f"{row['failures']} times: {shortly(row['failing'] or row['doing'] or '')}",
        "lost": f"last: {doing}" if doing else "",
        "ended": row["end_reason"] or doing,
    }
    program = "" if row["client"] == OWN else program_of(row)
    where = ", ".join(filter(None, (row["board_name"], row["host_label"] or program, row["cwd_label"])))
    used = row["input_tokens"] + row["output_tokens"]
    since = row[MOMENTS.get(state, "last_seen_at")]
    return SessionLine(
        url=f"/boards/{row['board_id']}/sessions/{row['id']}",
        agent_name=row["agent_name"],
        title=row["title"] or row["task_title"] or "",
        now=said.get(state, doing),
        place=where,
        task=f"#{row['task_number']}" if row["task_number"] else "no task",
        cost="".join(spent(row["cost_micros"] / MICROS, used, row["unpriced_tokens"], row["gaps"])),
        since=as_moment(since or row["last_seen_at"]) or times.clock_now(),
        glyph=glyph,
        tone=tone,
    )


async def _listed(actor: Actor, asked: Wanted) -> PageContext:
    by_state: dict[str, list[SessionLine]] = {}
    for row in await sessions_of(actor, asked.text):
        by_state.setdefault(state_of(row), []).append(line_of(row))
    groups = [
        (
            key,
            name,
            "" if asked.text and key == "ended" else note,
            [line for state in states for line in by_state.get(state, ())],
        )
        for key, name, note, states in GROUPS
    ]
    return {"groups": [group for group in groups if group[3]], "text": asked.text}


pages = Pages("session_list_pages", __name__)
LiveList(
    pages=pages, place="agents", path="/agents/sessions", template="runs/sessions.html", read=_listed,
    asks=Wanted.here, blocks=("sessions",), news=Concerns[View](("session.", "task.", "board."), ("session_id",)),
)  # fmt: skip
ENTRY = PaletteEntry("Sessions", "/agents/sessions", "activity", "agents work live", position=31)
