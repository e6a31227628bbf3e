"""When is what sent where: pure functions over what is known, asked again whenever something changed.

They are asked for one person and one need. They send nothing and keep nothing, so every rule is a case in a table of
tests. All moments are naive UTC, as everywhere; walls and days are those of the person's zone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from mission_control.needs.kinds import Urgency

GRACE = timedelta(seconds=20)  # what is answered or withdrawn at once reaches nobody
LOOKING = timedelta(minutes=2)  # since their last act on an open page: they see it there
COLLECT = timedelta(seconds=60)  # after a message on a link, the next one waits and takes along what came since
BURST = 3  # from here on one message for all
LAST_CALL = timedelta(minutes=15)
MOST_IN_AN_HOUR = 30
LAST = datetime(9999, 1, 1)  # no night is looked for after it: the calendar ends there

How = Literal["at_once", "digest", "never"]
type Why = Literal["first", "unseen", "last call", "digest", "team"]


@dataclass(frozen=True, slots=True)
class Person:
    """What a person chose; `chain` are their links in order, all devices that take push are one of them.

    `quiet` are the walls between which nothing is sent, and at whose end there is one digest; None before a zone is
    known. `boards` and `kinds` have what differs. `acted_at` is when they last did something on an open page: a page
    that is only open says nothing. A need waits for `first_after` before it is sent anywhere. A team has no quiet
    hours, and one link.
    """

    zone: ZoneInfo | None = None
    chain: tuple[str, ...] = ("push", "mail")
    first_after: timedelta = GRACE
    next_after: timedelta = timedelta(minutes=10)
    quiet: tuple[time, time] | None = (time(22), time(8))
    days_off: frozenset[int] = frozenset()  # quiet all day; Monday is 0
    wake: bool = False  # for what ends before the quiet hours do
    away_until: datetime | None = None
    only_blocking: bool = False
    boards: Mapping[str, How] = field(default_factory=dict)
    kinds: Mapping[str, How] = field(default_factory=dict)
    acted_at: datetime | None = None
    is_team: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """A need that waits, with what was tried for this person.

    `urgency` of its kind: it `blocks` an agent, `waits` for a person, or belongs into the `digest`. `promised` is for
    when the last answer of `next_step` put it into a digest: without it, a digest would be put off whenever it is due.
    """

    board: str | None
    kind: str
    since: datetime
    urgency: Urgency = "blocks"
    act_by: datetime | None = None
    named: bool = False  # asked of this person by name
    sent: tuple[tuple[str, datetime], ...] = ()  # link, moment
    failed: tuple[str, ...] = ()
    seen: bool = False
    last_call_sent: bool = False
    promised: datetime | None = None

    @property
    def was_sent(self) -> bool:
        """Whether it was sent on a link that took it, or may still."""
        return any(link not in self.failed for link, _ in self.sent)

    def is_promised_by(self, now: datetime) -> bool:
        return self.promised is not None and self.promised <= now and not self.was_sent


@dataclass(frozen=True, slots=True)
class Step:
    """What is due next: on `link` at `at`, by itself, as the last call, or in the digest."""

    at: datetime
    link: str
    why: Why


def how_of(person: Person, need: Open) -> How:
    """Return how a person wants to know of a need: the board's word counts before that of its kind.

    What is asked of them by name is never less than at once.
    """
    if need.named:
        return "at_once"
    if need.board is not None and (board := person.boards.get(need.board)) is not None:
        return board
    if (kind := person.kinds.get(need.kind)) is not None:
        return kind
    if need.urgency == "digest" or (person.only_blocking and need.urgency != "blocks"):
        return "digest"
    return "at_once"


def next_step(person: Person, need: Open, now: datetime) -> Step | None:
    """Return what is due next for a need that still waits; None when nothing is."""
    chain = [link for link in person.chain if link not in need.failed]
    how = how_of(person, need)
    if not chain or how == "never":
        return None
    if person.is_team:
        return None if need.sent else Step(need.since + GRACE, chain[0], "team")
    if how == "digest":
        return None if need.was_sent else Step(_digest_for(person, need, now), chain[-1], "digest")
    steps = filter(None, (_single_step(person, need, chain, now), _last_call(need, chain, now)))
    step = min(steps, key=lambda step: step.at, default=None)
    return None if step is None else _kept_from_the_night(person, need, step, now)


def _single_step(person: Person, need: Open, chain: Sequence[str], now: datetime) -> Step | None:
    """Return when a need is sent by itself: on the first link, then on the next one as long as it is not seen."""
    if not need.sent:
        at = need.since + person.first_after
        if person.acted_at is not None and abs(now - person.acted_at) < LOOKING:  # a clock may have been set back
            at = max(at, person.acted_at + LOOKING)
        return Step(at, chain[0], "first")
    unused = [link for link in chain if link not in dict(need.sent)]
    if need.seen or not unused:
        return None
    last_link, sent_at = need.sent[-1]
    return Step(sent_at + (timedelta() if last_link in need.failed else person.next_after), unused[0], "unseen")


def _last_call(need: Open, chain: Sequence[str], now: datetime) -> Step | None:
    if need.act_by is None or now >= need.act_by or need.last_call_sent or not need.sent:
        return None
    at, links = need.act_by - LAST_CALL, [link for link, _ in need.sent if link in chain]
    return Step(at, [*links, chain[0]][0], "last call") if need.sent[-1][1] < at else None


def _kept_from_the_night(person: Person, need: Open, step: Step, now: datetime) -> Step:
    """Put a step off to the end of quiet hours; what was sent nowhere is part of the digest there.

    A board that is to be heard at once is heard in quiet hours too, but not while the person is away.
    """
    ends = quiet_until(person, max(step.at, now))
    if ends is None:
        return Step(_digest_for(person, need, now), step.link, "digest") if need.is_promised_by(now) else step
    if person.wake and need.act_by is not None and need.act_by <= ends:
        return step
    if (
        not _is_away(person, max(step.at, now))
        and need.board is not None
        and person.boards.get(need.board) == "at_once"
    ):
        return step
    if need.was_sent:
        return replace(step, at=ends)
    return Step(_digest_for(person, need, now, ends), step.link, "digest")


def _is_away(person: Person, at: datetime) -> bool:
    return person.away_until is not None and at < person.away_until


def quiet_until(person: Person, at: datetime) -> datetime | None:
    """Return when the quiet hours or days around a moment, or the absence, end; None when it is neither.

    A quiet day lasts until quiet hours end on the next one. Without a quiet moment in between, that is the digest's.
    """
    if person.away_until is not None and at < person.away_until:
        return quiet_until(person, person.away_until) or person.away_until
    if person.is_team or person.zone is None or at >= LAST:
        return None
    is_quiet = _is_day_off(person, person.zone, at) or _is_night(person, person.zone, at)
    return _end_of_quiet(person, person.zone, at) if is_quiet else None


def _is_day_off(person: Person, zone: ZoneInfo, at: datetime) -> bool:
    day = _wall(zone, at).date()
    before = day - timedelta(days=1)
    return day.weekday() in person.days_off or (
        before.weekday() in person.days_off and at < _moment(zone, day, _ends(person))
    )


def _is_night(person: Person, zone: ZoneInfo, at: datetime) -> bool:
    """Whether a moment is within quiet hours: of moments, as a clock that is put back shows their end twice."""
    if person.quiet is None or person.quiet[0] == person.quiet[1]:
        return False
    begins, ends = person.quiet
    day = _wall(zone, at).date()
    if begins < ends:
        return _moment(zone, day, begins) <= at < _moment(zone, day, ends)
    return at < _moment(zone, day, ends) or at >= _moment(zone, day, begins)


def _digest_for(person: Person, need: Open, now: datetime, ends: datetime | None = None) -> datetime:
    if not need.is_promised_by(now) or need.promised is None:
        return ends or morning_after(person, max(need.since + GRACE, now))
    return kept_promise(person, need.promised, now)


def kept_promise(person: Person, promised: datetime, now: datetime) -> datetime:
    """Return when a digest goes out that was promised: then, unless it is over and quiet again now."""
    if promised > now:
        return promised
    is_never_on = len(person.days_off) == DAYS_OF_WEEK  # and has a digest on days off, too
    if quiet_until(replace(person, days_off=frozenset()) if is_never_on else person, now) is None:
        return promised
    return morning_after(person, now)


def morning_after(person: Person, at: datetime) -> datetime:
    """Return when the next digest goes out: as quiet hours end on a day that is not off, or at the end of absence."""
    if person.away_until is not None and at < person.away_until:
        return quiet_until(person, person.away_until) or person.away_until
    return _end_of_quiet(person, person.zone or ZoneInfo("UTC"), at)


def _end_of_quiet(person: Person, zone: ZoneInfo, at: datetime) -> datetime:
    """Return the next moment after `at` at which quiet hours end, on a day that is not off unless all are."""
    day = _wall(zone, at).date()
    while (found := _moment(zone, day, _ends(person))) <= at or (
        day.weekday() in person.days_off and len(person.days_off) < DAYS_OF_WEEK
    ):
        day += timedelta(days=1)
    return found


DAYS_OF_WEEK = 7


def _ends(person: Person) -> time:
    return person.quiet[1] if person.quiet else time(8)


def _wall(zone: ZoneInfo, at: datetime) -> datetime:
    return at.replace(tzinfo=UTC).astimezone(zone)


def _moment(zone: ZoneInfo, day: date, clock: time) -> datetime:
    """Return the first moment of a wall time; of one that a change of the clock leaves out, that of the change."""
    wall = datetime.combine(day, clock)
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) != wall:  # left out: with the offset after the change it is earlier
        found = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
        while found.astimezone(zone).replace(tzinfo=None) < wall:
            found += timedelta(minutes=1)
    return found.replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Due[N]:
    """What goes out now to one link: one message for all of `needs`, or one for each."""

    link: str
    why: Why
    needs: tuple[N, ...]


def messages_of[N](
    steps: Sequence[tuple[N, Step]], last_on: Mapping[str, datetime], in_last_hour: int, now: datetime
) -> list[Due[N]]:
    """Return the messages that go out now; what must wait is left out.

    A link that was just used rests, and takes along what came since. From `BURST` on there is one message for all, and
    one for all last calls. A digest is one message, on the link of its first step, and takes along what is due there
    and what was sent nowhere. Nothing goes out beyond the limit of an hour: what waits then goes out together.
    """
    due = [(need, step) for need, step in steps if step.at <= now]
    link = next((step.link for _, step in due if step.why == "digest"), None)
    alone: dict[tuple[str, bool], list[tuple[N, Step]]] = {}
    digest: list[N] = []
    for need, step in due:
        if _is_in_digest(step, link):
            digest.append(need)
        elif abs(now - last_on.get(step.link, now - COLLECT)) >= COLLECT:
            alone.setdefault((step.link, step.why == "last call"), []).append((need, step))
    messages = [] if link is None else [Due(link, "digest", tuple(digest))]
    for (to, _), those in alone.items():
        messages += _burst_or_single(to, those)
    return messages[: max(0, MOST_IN_AN_HOUR - in_last_hour)]


def _is_in_digest(step: Step, link: str | None) -> bool:
    return link is not None and step.why != "last call" and (step.link == link or step.why != "unseen")


def _burst_or_single[N](link: str, steps: Sequence[tuple[N, Step]]) -> list[Due[N]]:
    if len(steps) < BURST:
        return [Due(link, step.why, (need,)) for need, step in steps]
    return [Due(link, min(step.why for _, step in steps), tuple(need for need, _ in steps))]
