"""The list of Home: its groups with rows, and at its end, folded away, what has waited for more than a week."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.home.answered import Answered, answered_by_others
from mission_control.needs.finding import Filter, count, find_keys
from mission_control.needs.kinds import KINDS, Include, Key
from mission_control.needs.listing import said
from mission_control.needs.schemas import GROUPS, Group, Need

SHOWN = 30  # the list fills up again as it is answered; what is older as well
MOST = 1000
FOLDED_AFTER = timedelta(days=7)
TITLES: dict[Group, tuple[str, str]] = {
    "answer": ("Answer", "agents stand still until you do"),
    "review": ("Review", "handed in, no agent waits"),
    "unblock": ("Unblock", "something went wrong"),
    "own": ("Your own", "tasks assigned to you"),
}

Place = Group | Literal["older"]
Versions = dict[str, tuple[Place, str]]  # the names of rows, with where they stand and their versions


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the list: a need, or what became of it."""

    since: datetime
    need: Need | None = None
    answered: Answered | None = None


@dataclass(frozen=True, slots=True)
class GroupRows:
    """A group with its rows; `number` counts those that wait, with a row or without."""

    name: Group
    title: str
    note: str
    number: int
    rows: list[Row]


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

    @classmethod
    def of(cls, keys: Sequence[Key], everything: bool) -> "Found":
        """Divide needs, and choose those that have a row."""
        new, older = [key for key in keys if not key.is_older], [key for key in keys if key.is_older]
        most = MOST if everything else SHOWN
        return cls(Part(new, new[:most]), Part(older, older[:most]))

    @property
    def shown(self) -> list[Key]:
        """The needs that have a row."""
        return [*self.new.shown, *self.older.shown]

    @property
    def versions(self) -> Versions:
        """What a page has that shows this."""
        return {key.name: (place_of(key), key.version) for key in self.shown}

    @property
    def numbers(self) -> Counter[Place]:
        """How many wait in each place."""
        return Counter(place_of(key) for key in (*self.new.keys, *self.older.keys))

    @property
    def oldest(self) -> datetime | None:
        """Since when the oldest of those waits that are folded away."""
        return min((key.since for key in self.older.keys), default=None)


def place_of(key: Key) -> Place:
    """Return where a need stands."""
    return "older" if key.is_older else KINDS[key.kind].group


async def find(actor: Actor, include: Include, everything: bool) -> Found:
    """Find what waits for a person; what is put off is never folded away."""
    before = clock.now() - FOLDED_AFTER if include == "waiting" else None
    return Found.of(await find_keys(actor, Filter(include=include, older_than=before), MOST), everything)


@dataclass(frozen=True, slots=True)
class Listed:
    """The list: its groups with rows, what is folded away, which needs they are, and how many there are in all."""

    groups: list[GroupRows]
    older: list[Row]
    found: Found
    total: int

    @property
    def is_empty(self) -> bool:
        """Whether there is no row."""
        return not self.groups and not self.older


async def listed(actor: Actor, include: Include, everything: bool, opened: datetime) -> Listed:
    """Return what waits for a person, with what others answered since the page was opened."""
    counted = await count(actor)
    found = await find(actor, include, everything)
    needs = await said(actor, found.shown)
    folded = {key.name for key in found.older.shown}
    others: list[Answered] = []
    if include == "waiting":
        open_ids = {key.name for key in (*found.new.keys, *found.older.keys)}
        others = [one for one in await answered_by_others(actor, opened) if one.id not in open_ids]
    total = counted.counts.snoozed if include == "snoozed" else counted.counts.total
    new = [one for one in needs if one.id not in folded]
    older = [Row(one.since, need=one) for one in needs if one.id in folded]
    return Listed(_grouped(new, others, found), older, found, max(total, len(found.shown)))


def _grouped(needs: list[Need], others: list[Answered], found: Found) -> list[GroupRows]:
    groups, numbers = [], found.numbers
    for group in GROUPS:
        rows = [Row(one.since, need=one) for one in needs if one.group == group]
        rows += [Row(one.since, answered=one) for one in others if one.group == group]
        if rows:
            title, note = TITLES[group]
            groups.append(GroupRows(group, title, note, numbers[group], sorted(rows, key=lambda row: row.since)))
    return groups
