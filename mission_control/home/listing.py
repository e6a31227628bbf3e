"""The list of Home: its groups, what is folded away, what others answered since, and several needs at once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from mission_control.boards.queries import boards_of
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.values import parse_id
from mission_control.database.sql import placeholders, select
from mission_control.needs.kinds import KINDS, AnswerWords, Key
from mission_control.needs.lookup import render_needs
from mission_control.needs.queries import Filter, count, find_keys
from mission_control.needs.schemas import Group, Include, Need, NeedAnswer
from mission_control.people.accounts.names import person_name

MOST_ANSWERED = 20
STAYS = timedelta(minutes=2)  # what others answered stays on an open page; as in static/js/pages/settled.js


@dataclass(slots=True)
class Answered:
    """Something that no longer waits: what was asked, who answered it, and how."""

    kind: str
    subject: UUID
    since: datetime
    answered_at: datetime
    user_id: UUID | None
    decision: str | None
    name: str
    asked: AnswerWords = field(default_factory=lambda: AnswerWords("", ""))

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.subject}"

    @property
    def words(self) -> str:
        answers = KINDS[self.kind].answers
        return answers.words.get(self.decision or "", answers.otherwise) if answers is not None else ""


async def answered_by_others(actor: Actor, opened: datetime) -> list[Answered]:
    """Return what other people answered on the actor's boards just now, since a page was opened, oldest first."""
    where = (
        f"one.answered_at >= ? AND COALESCE(one.by_name, '') || COALESCE(CAST(one.user_id AS TEXT), '') <> ?"
        f" ORDER BY one.answered_at LIMIT {MOST_ANSWERED}"
    )
    since = max(opened, times.clock_now() - STAYS)
    return await _answered(actor, where, since, str(actor.id), since=since)


async def last_answered(actor: Actor) -> Answered | None:
    found = await _answered(actor, "1 = 1 ORDER BY one.answered_at DESC LIMIT 1")
    return found[0] if found else None


async def _answered(actor: Actor, where: str, *values: object, since: datetime | None = None) -> list[Answered]:
    """Return what was answered; that at programs only since a moment."""
    boards = {board.id: board for board in await boards_of(actor)}
    if not boards:
        return []
    selects = [
        f"SELECT '{kind.kind}' AS kind, id AS subject, created_at AS since, {one.at} AS answered_at,"
        f" {one.by} AS user_id, {one.decision} AS decision, CAST(NULL AS TEXT) AS by_name FROM {kind.table}"
        f" WHERE board_id IN ({placeholders(len(boards))}) AND {one.where}"
        for kind in KINDS.values()
        if (one := kind.answers) is not None
    ]
    given: list[object] = [*list(boards) * len(selects)]
    for kind in KINDS.values() if since is not None else ():
        if (one := kind.answers) is not None and one.outside:
            selects.append(
                f"SELECT '{kind.kind}' AS kind, id AS subject, created_at AS since, {one.at} AS answered_at,"
                f" CAST(NULL AS UUID) AS user_id, {one.decision} AS decision, {one.name} AS by_name FROM {kind.table}"
                f" WHERE board_id IN ({placeholders(len(boards))}) AND {one.at} >= ? AND {one.outside}"
            )
            given += [*boards, since]
    found = await select(
        Answered,
        "SELECT one.kind, one.subject, one.since, one.answered_at, one.user_id, one.decision,"
        f" COALESCE({person_name('u')}, one.by_name, 'Somebody') AS name FROM ({' UNION ALL '.join(selects)}) AS one"
        f" LEFT JOIN users u ON u.id = one.user_id WHERE {where}",
        *given,
        *values,
    )
    asked: dict[UUID, AnswerWords] = {}
    for name in dict.fromkeys(one.kind for one in found):
        asked |= await KINDS[name].in_words(actor, boards, [one.subject for one in found if one.kind == name])
    shown = [answered for answered in found if answered.subject in asked]
    for answered in shown:
        answered.asked = asked[answered.subject]
    return shown


SHOWN = 30  # the list fills up again as it is answered; what is older as well
MOST_LISTED = 1000
FOLDED_AFTER = timedelta(days=7)
TITLES: dict[Group, tuple[str, str]] = {
    "answer": ("Answer", "asked by agents: those that did not hand in stand still"),
    "review": ("Review", "handed in or proposed, no agent waits"),
    "unblock": ("Unblock", "something went wrong"),
    "paused": ("Paused", "goes on by itself, if nobody answers"),
    "own": ("Your own", "tasks assigned to you"),
}

Place = Group | Literal["older"]
Versions = dict[str, tuple[Place, str]]  # the names of rows, with where they stand and their versions


@dataclass(frozen=True, slots=True)
class GroupRows:
    """A group with its rows, needs and what became of some; `number` counts those that wait, with a row or without."""

    name: Group
    title: str
    note: str
    number: int
    rows: list[Need | Answered]


@dataclass(frozen=True, slots=True)
class Part:
    """The needs of a part of the list that have a row, and all of it."""

    keys: Sequence[Key]
    shown: Sequence[Key]

    @property
    def next_name(self) -> str:
        """The name of the first need without a row; empty when there is none."""
        return self.keys[len(self.shown)].name if len(self.shown) < len(self.keys) else ""


@dataclass(frozen=True, slots=True)
class Found:
    """Where everything stands: what is new, and what is older."""

    new: Part
    older: Part

    @property
    def shown(self) -> list[Key]:
        return [*self.new.shown, *self.older.shown]

    @property
    def versions(self) -> Versions:
        return {key.name: (place_of(key), key.version) for key in self.shown}

    @property
    def numbers(self) -> Counter[Place]:
        return Counter(place_of(key) for key in (*self.new.keys, *self.older.keys))

    @property
    def oldest(self) -> datetime | None:
        """Since when the oldest of those waits that are folded away."""
        return min((key.since for key in self.older.keys), default=None)


def place_of(key: Key) -> Place:
    return "older" if key.is_older else KINDS[key.kind].group


async def find(actor: Actor, include: Include, everything: bool) -> Found:
    """Find what waits for a person; what is put off is never folded away."""
    before = times.clock_now() - FOLDED_AFTER if include == "waiting" else None
    keys = await find_keys(actor, Filter(include=include, older_than=before), MOST_LISTED)
    new, older = [key for key in keys if not key.is_older], [key for key in keys if key.is_older]
    most = MOST_LISTED if everything else SHOWN
    return Found(Part(new, new[:most]), Part(older, older[:most]))


@dataclass(frozen=True, slots=True)
class Listed:
    """The list: its groups with rows, what is folded away, which needs they are, and how many there are in all."""

    groups: list[GroupRows]
    older: list[Need]
    found: Found
    total: int


async def listed(actor: Actor, include: Include, everything: bool, opened: datetime) -> Listed:
    """Return what waits for a person, with what others answered since the page was opened."""
    counted = await count(actor)
    found = await find(actor, include, everything)
    needs = await render_needs(actor, found.shown)
    folded = {key.name for key in found.older.shown}
    others: list[Answered] = []
    if include == "waiting":
        open_ids = {key.name for key in (*found.new.keys, *found.older.keys)}
        others = [one for one in await answered_by_others(actor, opened) if one.id not in open_ids]
    total = counted.counts.snoozed if include == "snoozed" else counted.counts.total
    rows: list[Need | Answered] = [*(one for one in needs if one.id not in folded), *others]
    rows.sort(key=lambda row: row.since)
    groups, numbers = [], found.numbers
    for group, (title, note) in TITLES.items():
        if of_group := [row for row in rows if KINDS[row.kind].group == group]:
            groups.append(GroupRows(group, title, note, numbers[group], of_group))
    older = [one for one in needs if one.id in folded]
    return Listed(groups, older, found, max(total, len(found.shown)))


MOST_CHOSEN = 200


@dataclass(frozen=True, slots=True)
class Offer:
    """An answer that may be given to many at once: to how many of the chosen ones, and how many can be taken back."""

    answer: NeedAnswer
    number: int
    undoable: int


async def chosen_needs(actor: Actor, ids: Sequence[str]) -> list[Need]:
    """Return the needs with these ids that still wait, in the order of the list."""
    wanted = set(ids[:MOST_CHOSEN])
    subjects = [subject for name in wanted if (subject := parse_id(name.partition(":")[2])) is not None]
    if not subjects:
        return []
    keys = await find_keys(actor, Filter(ids=tuple(set[UUID](subjects)), include="all"), 2 * MOST_CHOSEN)
    return await render_needs(actor, [key for key in keys if key.name in wanted])


def offers(needs: Sequence[Need]) -> list[Offer]:
    """Return the answers that may be given to several of these needs at once, those for most needs first."""
    found: dict[str, list[NeedAnswer]] = {}
    for need in needs:
        for answer in need.answers:
            if answer.in_bulk:
                found.setdefault(answer.id, []).append(answer)
    made = [Offer(same[0], len(same), sum(one.undoable for one in same)) for same in found.values()]
    return sorted(made, key=lambda one: (one.answer.key is None, -one.number))
