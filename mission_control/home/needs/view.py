"""One need on its own page: what it is about, which one of how many, what its agent did before, and how it ended."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.extensions import Hook
from mission_control.core.values import fingerprint
from mission_control.database.sql import Row, rows
from mission_control.home.listing import find
from mission_control.home.peek import About, about_need
from mission_control.needs.kinds import KINDS, AskedNeed, Key
from mission_control.needs.lookup import asked_need, how_it_ended, last_of, parse_need_id, render_needs, where_asked
from mission_control.needs.schemas import Need, NeedAnswer
from mission_control.runs.sessions.queries import ActivityQuery, activities_of
from mission_control.runs.sessions.view import Act, acts_of, folded

# Called with a person and a need whenever its page shows it to them.
shown = Hook[Callable[[Actor, Need], Awaitable[None]]]()


@dataclass(frozen=True, slots=True)
class Home:
    """In which organization something is asked, so that a link to it works wherever its reader was last."""

    organization_id: UUID


async def home_of(actor: Actor, need_id: str) -> Home:
    """Return the organization of what an id names; what is personal is in all. Raise NotFound when it names nothing."""
    kind, subject = parse_need_id(need_id)
    if KINDS[kind].is_personal:
        return Home(actor.organization_id)
    asked = await where_asked(KINDS[kind], subject)
    if asked is None or asked.organization_id not in actor.memberships:
        raise NotFound()
    return Home(asked.organization_id)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a need stands in the list: its number from 1 on, 0 when it is not there, of how many; its neighbours."""

    number: int
    total: int
    before: str | None
    after: str | None

    @property
    def words(self) -> str:
        if self.number:
            return f"{self.number} of {self.total}"
        return f"{self.total} {'waits' if self.total == 1 else 'wait'}" if self.total else "Nothing waits"


async def place_of(actor: Actor, need_id: str) -> Place:
    """Return the place of a need among all that wait; one that is not there is followed by the first."""
    found = await find(actor, "waiting", True)
    names = [key.name for key in (*found.new.keys, *found.older.keys)]
    at = names.index(need_id) if need_id in names else -1
    before = names[at - 1] if at > 0 else None
    following = names[at + 1 : at + 2] or (names[:1] if at > 0 else [])
    return Place(at + 1, len(names), before, following[0] if following else None)


@dataclass(frozen=True, slots=True)
class Answering:
    """The answers of a need as a thumb finds them: one that is big, if any, options, others, and what is folded."""

    big: NeedAnswer | None
    options: Sequence[NeedAnswer]
    others: Sequence[NeedAnswer]
    folded: Sequence[NeedAnswer]
    elsewhere: Sequence[NeedAnswer]

    @property
    def every(self) -> list[NeedAnswer]:
        return [*([self.big] if self.big else []), *self.options, *self.others, *self.folded]

    @property
    def takes_notes(self) -> bool:
        return any(one.note != "none" for one in self.every)

    @property
    def needs_note(self) -> str:
        """The label of the note where no answer goes without one, empty otherwise."""
        wanted = [one for one in self.every if one.note == "required"]
        return wanted[0].note_label if wanted and len(wanted) == len(self.every) else ""


def answering(need: Need) -> Answering:
    """Sort the answers of a need. What is dangerous has no big one; the likely one lies under the right thumb."""
    here = [one for one in need.answers if one.operation is not None]
    options = [one for one in here if one.id.startswith("option:")]
    likely = next((one for one in here if one.recommended and one.note != "required" and one not in options), None)
    big = likely if not need.high_risk else None
    others = [one for one in here if one.key and one is not big and one not in options]
    folded = [one for one in here if not one.key and one not in options]
    return Answering(big, options, others[::-1], folded, [one for one in need.answers if one.operation is None])


BEFORE, READ = 3, 12


@dataclass(frozen=True, slots=True)
class Before:
    """What the agent did before it asked, the newest first, and the page of its session."""

    acts: Sequence[Act] = ()
    url: str = ""


async def before_of(need: Need) -> Before:
    """Return what was done in the session that asks, or in the newest one of the task."""
    found = await session_of(need)
    if found is None:
        return Before()
    page = await activities_of(UUID(str(found["id"])), ActivityQuery(limit=READ))
    acts = [one for one in acts_of(page.items) if one.what not in ("wait", "prompt") and one.at <= need.since]
    return Before(folded(acts)[: -BEFORE - 1 : -1], f"/boards/{found['board_id']}/sessions/{found['id']}")


_OF_APPROVAL = (
    "SELECT s.id, s.board_id, s.ended_at FROM approvals a JOIN agent_sessions s ON s.id = a.session_id WHERE a.id = ?"
)
_OF_TASK = (
    "SELECT s.id, s.board_id, s.ended_at FROM agent_sessions s WHERE s.task_id = ? ORDER BY s.last_seen_at DESC, s.id"
    " LIMIT 1"
)


async def session_of(need: Need) -> Row | None:
    kind, subject = parse_need_id(need.id)
    found = await rows(_OF_APPROVAL, subject) if kind == "approval" else []
    if not found and need.tasks:
        found = await rows(_OF_TASK, need.tasks[0].id)
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Typed:
    """An answer that was refused: what was written, which button, and why; or what changed before anything was sent."""

    note: str = ""
    chosen: str = ""
    error: str = ""
    notice: str = ""


NOTHING = Typed()


@dataclass(slots=True)
class One:
    """A need as its page shows it; `ended` is a sentence when it no longer waits, and `need` None when it is gone.

    It may still wait for `others`, so many people, whose answers are missing besides the reader's.
    """

    id: str
    place: Place
    need: Need | None
    ended: str = ""
    others: int = 0
    about: About = field(default_factory=About)
    before: Before = field(default_factory=Before)

    @property
    def answering(self) -> Answering | None:
        return answering(self.need) if self.need is not None and not self.ended else None

    @property
    def state(self) -> str:
        """A mark of what an open page shows."""
        need = self.need
        marks = [need.version, need.substance, str(need.is_snoozed)] if need is not None else []
        return fingerprint(" ".join([self.id, self.ended and "ended", *marks]))[:16]


async def one_of(actor: Actor, need_id: str) -> One:
    """Return a need for its page, also one that has ended. Raise NotFound for what the person may not answer."""
    asked, place = await asked_need(actor, need_id), await place_of(actor, need_id)
    need = await said_once(actor, asked)
    if need is None:
        return One(need_id, place, None, await how_it_ended(asked))
    if asked.key is None:
        others = await KINDS[asked.kind].missing(asked.id)
        waits = f"This waits for {others} other {'person' if others == 1 else 'people'}."
        return One(need_id, place, need, waits if others else await how_it_ended(asked), others)
    return One(need_id, place, need, "", 0, await about_need(actor, asked.key, need), await before_of(need))


async def said_once(actor: Actor, asked: AskedNeed) -> Need | None:
    """Return a need in words, also when it no longer waits; None when nothing is known of it."""
    key = asked.key or Key(asked.kind, asked.id, await _since(asked), asked.board_id, "")
    found = await render_needs(actor, [key])
    return found[0] if found else None


async def _since(asked: AskedNeed) -> datetime:
    last = await last_of(asked)
    return last.created_at if last is not None else times.clock_now()
