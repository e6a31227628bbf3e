"""Who is sent what, worked out in another way than the plan does: by playing a person's evening second by second.

It knows the rules from the design alone, in seconds since a start, and imports nothing of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE, HOUR = 60, 3600


@dataclass
class Need:
    """Something that waits, from a second on."""

    id: str
    board: str
    kind: str
    opened: float
    act_by: float | None = None
    ended: float | None = None


@dataclass(frozen=True)
class Message:
    """What is expected to be sent: in which look, where, why, and about what; `over` is what ended meanwhile."""

    at: float
    to: str
    why: str
    needs: frozenset[str]
    over: frozenset[str] = frozenset()


@dataclass
class _State:
    sent: list[tuple[str, float]] = field(default_factory=list)
    seen: bool = False
    called: bool = False
    held: float | None = None
    is_known: bool = False


@dataclass
class Somebody:
    """A person as the oracle knows them: where they are reached, and what they chose."""

    name: str
    zone: str
    links: tuple[str, ...]
    next_after: float = 10 * MINUTE
    wakes: bool = False
    away_until: float | None = None
    boards: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    sees: Callable[[Need], bool] = lambda need: True
    states: dict[str, _State] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    moments: list[float] = field(default_factory=list)

    def wants(self, need: Need) -> str:
        """How they want to know of it."""
        return self.boards.get(need.board) or self.kinds.get(need.kind) or "at_once"

    def morning(self, start: datetime, at: float) -> float:
        """The next second at which it is eight where they are."""
        wall = self._wall(start, at)
        days = 0 if wall.hour < 8 else 1
        eight = (wall + timedelta(days=days)).replace(hour=8, minute=0, second=0, microsecond=0)
        found = eight.astimezone(ZoneInfo("UTC")).replace(tzinfo=None) - start
        return found.total_seconds()

    def quiet_until(self, start: datetime, at: float) -> float | None:
        """When they may be disturbed again; None for now."""
        if self.away_until is not None and at < self.away_until:
            return self.away_until
        return None if 8 <= self._wall(start, at).hour < 22 else self.morning(start, at)

    def _wall(self, start: datetime, at: float) -> datetime:
        moment = start.replace(tzinfo=ZoneInfo("UTC")) + timedelta(seconds=at)
        return moment.astimezone(ZoneInfo(self.zone))

    def opens(self, needs: Iterable[str]) -> None:
        """They open a message: what it is about is not sent to them again."""
        for one in needs:
            self.states[one].seen = True


def look(who: Somebody, needs: Iterable[Need], start: datetime, at: float) -> list[Message]:
    """What they are sent in a look at this second."""
    due: list[tuple[Need, str, str]] = []
    over: list[str] = []
    for need in needs:
        if not who.sees(need) or who.wants(need) == "never":
            continue
        state = who.states.setdefault(need.id, _State())
        if need.ended is not None:
            if state.is_known and not state.sent and state.held is not None and state.held <= at:
                over.append(need.id)
                state.sent.append(("", at))
            continue
        state.is_known = True
        if (found := _step(who, need, state, start, at)) is not None:
            due.append((need, *found))
    return _messages(who, due, over, at)


def _step(who: Somebody, need: Need, state: _State, start: datetime, at: float) -> tuple[str, str] | None:
    quiet = who.quiet_until(start, at)
    if who.wants(need) == "digest":
        if state.held is None:
            state.held = who.morning(start, at)
        return (who.links[-1], "digest") if not state.sent and state.held <= at and quiet is None else None
    is_away = who.away_until is not None and at < who.away_until
    is_loud = who.boards.get(need.board) == "at_once" and not is_away
    if quiet is not None and not is_loud and not (who.wakes and need.act_by is not None and need.act_by <= quiet):
        if not state.sent:
            state.held = quiet
        return None
    if not state.sent:
        if state.held is not None and state.held <= at:
            return who.links[0], "digest"
        return (who.links[0], "first") if at >= need.opened + 20 else None
    used = [link for link, _ in state.sent]
    rest = [link for link in who.links if link not in used]
    if rest and not state.seen and at >= state.sent[-1][1] + who.next_after:
        return rest[0], "unseen"
    if need.act_by is not None and not state.called and at >= (call := need.act_by - 15 * MINUTE):
        return (used[0], "last call") if state.sent[-1][1] < call and at < need.act_by else None
    return None


def _messages(who: Somebody, due: list[tuple[Need, str, str]], over: list[str], at: float) -> list[Message]:
    found: list[Message] = []
    digest = [(need, link) for need, link, why in due if why == "digest"]
    if digest or over:
        to = min((link for _, link in digest), key=who.links.index, default=who.links[-1])
        taken = [one for one in due if one[2] in ("digest", "first") or (one[2] == "unseen" and one[1] == to)]
        found.append(Message(at, to, "digest", frozenset(one[0].id for one in taken), frozenset(over)))
        due = [one for one in due if one not in taken]
    for to in who.links:
        if at - who.last.get(to, -HOUR) < MINUTE:
            continue
        for is_call in (False, True):
            some = [(need, why) for need, link, why in due if link == to and (why == "last call") == is_call]
            if len(some) >= 3:
                found.append(Message(at, to, min(why for _, why in some), frozenset(need.id for need, _ in some)))
            else:
                found += [Message(at, to, why, frozenset([need.id])) for need, why in some]
    for message in found:
        who.last[message.to] = at
        who.moments.append(at)
        for one in message.needs:
            state = who.states[one]
            state.sent.append((message.to, at))
            state.called = state.called or message.why == "last call"
    assert sum(at - one < HOUR for one in who.moments) <= 30, "the oracle knows no limit"
    return found
