"""What exists, by the answers so far: an id that was made up reaches nothing, and a 404 is all that it tests."""

import random
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

NEWEST = 12  # how many of a kind are remembered
Ids = dict[str, str]


class Known:
    """The ids that answers showed, by path (`/boards/{board_id}/tasks/{task_id}`) and by name (`task_id`)."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.random = random.Random()
        self.places: set[str] = set()
        self.values = values
        self.seen: set[Any] = set(values.values())
        self._at: dict[str, deque[Ids]] = defaultdict(lambda: deque(maxlen=NEWEST))
        self._gone: dict[str, deque[Ids]] = defaultdict(lambda: deque(maxlen=NEWEST))
        self._ever: dict[str, set[frozenset[tuple[str, str]]]] = defaultdict(set)
        self._named: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=NEWEST))

    def begin(self, paths: Iterable[str], seed: str) -> None:
        """Know what there may be."""
        self.places = {place for path in paths for place in places(path)}
        self.random.seed(seed)

    def chance(self, one_in: int) -> bool:
        """Whether to do it otherwise this time."""
        return self.random.randrange(one_in) == 0

    def learn(self, path: str, ids: Ids, answer: Any) -> None:
        """Remember what a good answer at a path shows."""
        for thing in things(answer):
            for name, value in thing.items():
                if name.endswith("_id") and isinstance(value, str):
                    self._name(name, value)
            if isinstance(own := thing.get("id"), str):
                self._place(of_people(path), ids, own)

    def _place(self, path: str, ids: Ids, own: str) -> None:
        self._name(f"{path.rpartition('/')[2].replace('-', '_').removesuffix('s')}_id", own)
        for place in self.places:
            above, _, last = place.rpartition("/")
            if above == path:
                self._name(last.strip("{}"), own)
                one = {name: ids[name] for name in names(above)} | {last.strip("{}"): own}
                self._ever[place].add(frozenset(one.items()))
                if one not in self._at[place]:
                    self._at[place].append(one)

    def _name(self, name: str, value: str) -> None:
        self.seen.add(value)
        if value not in self._named[name]:
            self._named[name].append(value)

    def forget(self, path: str, ids: Ids) -> None:
        """What stood at a path is gone, and what was in it; it is asked for less often, and may be restored."""
        here = next(reversed(list(places(of_people(path)))), "")
        gone = {name: ids[name] for name in names(here)}
        if gone not in self._at[here]:
            return
        self._gone[here].append(gone)
        for place in [place for place in self._at if place.startswith(here)]:
            for one in [one for one in self._at[place] if gone.items() <= one.items()]:
                self._at[place].remove(one)
                for named in self._named.values():
                    with suppress(ValueError):
                        named.remove(one[names(place)[-1]])

    def path_ids(self, path: str, ids: Ids) -> Ids:
        """The ids of a path; when they name nothing that ever was, those of something that exists there instead."""
        for place in reversed(list(places(of_people(path)))):
            given = {name: ids[name] for name in names(place)}
            if frozenset(given.items()) in self._ever[place]:
                return ids
            if found := self._gone[place] if self._gone[place] and self.chance(6) else self._at[place]:
                return {**ids, **self._nearest(found, ids)}
        return ids

    def _nearest(self, found: Iterable[Ids], ids: Ids) -> Ids:
        """One of those that have most in common with the given ids."""
        by_likeness: dict[int, list[Ids]] = defaultdict(list)
        for one in found:
            by_likeness[sum(ids[name] == one[name] for name in one)].append(one)
        return self.random.choice(by_likeness[max(by_likeness)])

    def lacks(self, path: str) -> bool:
        """Whether nothing is known that a path could name."""
        return any(not self._at[place] for place in places(of_people(path)) if place in self.places)

    def filled(self, value: Any) -> Any:
        """A body or a query in which made-up ids are those of things that exist, or left out when there are none."""
        if isinstance(value, dict):
            fields = {name: self._field(name, one) for name, one in value.items()}
            return {name: one for name, one in fields.items() if one is not ...}
        return [self.filled(one) for one in value] if isinstance(value, list) else value

    def _field(self, name: str, value: Any) -> Any:
        if name in self.values and not self.chance(8):
            return self.values[name]
        if name.endswith("_id") and (isinstance(value, str) or (value is None and self.chance(2))):
            return self._one(name, value)
        if name.endswith("_ids") and isinstance(value, list):
            return [one for one in (self._one(name[:-1], one) for one in value) if one is not ...]
        return self.filled(value)

    def _one(self, name: str, value: Any) -> Any:
        if value in self.seen:
            return value
        while name:
            if self._named[name]:
                return self.random.choice(self._named[name])
            name = name.partition("_")[2]
        return ...


def of_people(path: str) -> str:
    """The path at which people find what agents find at theirs."""
    return path.replace("/api/v1/agent/", "/api/v1/", 1)


def places(path: str) -> Iterator[str]:
    """The beginnings of a path that name one thing each, the shortest first."""
    for end in re.finditer(r"\}(?=/|$)", path):
        yield path[: end.end()]


def names(path: str) -> list[str]:
    """The names of the ids in a path."""
    return re.findall(r"\{(\w+)\}", path)


def things(answer: Any) -> list[dict[str, Any]]:
    """What an answer shows: itself, its elements or its `items`."""
    if isinstance(answer, dict):
        answer = answer["items"] if isinstance(answer.get("items"), list) else [answer]
    return [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []
