"""Two hundred needs in ten minutes for five people with different choices: exactly what the rules say is sent."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from mission_control.channels.messages.links import open_message
from mission_control.channels.models import Device, ReachMessage, ReachMessageNeed
from mission_control.core import times
from mission_control.people.accounts.commands import create_user
from mission_control.people.models import User
from tests.cast import Cast, Person, as_person
from tests.channels import needs_oracle as oracle
from tests.channels.conftest import settle
from tests.channels.fake_channel import Chat
from tests.channels.needs_oracle import Message, Need, Somebody

START = datetime(2031, 3, 5, 13)  # a Wednesday: 14:00 in Berlin, 22:00 in Tokyo, 8:00 in New York, 0:00 in Sydney
TICK = 35.0  # seconds; no rule is met within ten seconds of one, however long a look takes
OPENING, DEADLINE = 17, 2387.0
HOUR = 3600.0
# Everybody is back, then it is morning in Sydney, in Tokyo and in New York, each with a look a while later.
MORNINGS = [HOUR + 30, HOUR + 720, 8 * HOUR + 30, 8 * HOUR + 720, 10 * HOUR + 30, 10 * HOUR + 720, 24 * HOUR + 30]


class Clock:
    """The clock of the process, set forward step by step."""

    def __init__(self) -> None:
        self.stack = ExitStack()

    def set(self, seconds: float) -> None:
        """Let it be so many seconds after the start."""
        self.stack.close()
        self.stack.enter_context(times.travelled(START + timedelta(seconds=seconds) - times.clock_now()))


@contextmanager
def clock() -> Iterator[Clock]:
    found = Clock()
    try:
        yield found
    finally:
        found.stack.close()


@dataclass
class World:
    """What was asked, and what was sent."""

    cast: Cast
    chat: Chat
    people: dict[str, Person]
    spirits: dict[str, Somebody]
    needs: list[Need] = field(default_factory=list)
    known: set[Any] = field(default_factory=set)

    async def ask(self, number: int, at: float) -> None:
        """Twelve needs: ten on one board, two of them questions, and two on the other."""
        for one in range(12):
            board, by = ("Dome", self.cast.mira) if one > 9 else ("Telescope", self.cast.vega)
            path = f"/agent/boards/{(self.cast.other_board if one > 9 else self.cast.board).id}"
            act_by = None
            if one in (8, 9):
                kind, made = "question", await by.post(f"{path}/questions", {"content": f"Which lens, {number}.{one}?"})
            else:
                kind, wanted = "approval", {"action_type": f"deploy.{number}.{one}", "confidence": 80}
                wanted["lead_reasoning"] = "Tests are green."
                if one == 4 and number % 3 == 0:
                    wanted["decide_in"], act_by = int(DEADLINE), at + DEADLINE
                made = await by.post(f"{path}/approvals", wanted)
            self.needs.append(Need(made.ok()["id"], board, kind, at, act_by))

    def of(self, number: int, *places: int) -> list[Need]:
        return [self.needs[12 * number + one] for one in places] if 0 <= number < OPENING else []

    async def answer(self, need: Need, at: float, by: Person) -> None:
        board = self.cast.board if need.board == "Telescope" else self.cast.other_board
        if need.kind == "question":
            (await by.post(f"/boards/{board.id}/questions/{need.id}/answers", {"answer": "The wide one"})).ok()
        else:
            (await by.patch(f"/boards/{board.id}/approvals/{need.id}", {"status": "approved"})).ok()
        need.ended = at

    async def new_messages(self, at: float) -> list[Message]:
        """What was sent since the last look, as it was then."""
        labels: dict[Any, str] = {one.id: one.label for one in await Device.all()}
        found = []
        for message in await ReachMessage.all():
            if message.id in self.known:
                continue
            self.known.add(message.id)
            assert message.state == "sent", (message.state, message.error)
            parts = await ReachMessageNeed.filter(message_id=message.id)
            waits = frozenset(str(one.subject_id) for one in parts if one.ended_how is None)
            over = frozenset(str(one.subject_id) for one in parts if one.ended_how is not None)
            found.append(Message(at, labels[message.device_id], message.why, waits, over))
        return found

    def expected(self, at: float) -> list[Message]:
        """What the oracle says is sent now."""
        return [one for who in self.spirits.values() for one in oracle.look(who, self.needs, START, at)]

    async def look(self, at: float, now: Clock) -> None:
        """Look, and compare."""
        for later in range(9):  # few are sent at once; the others a second later
            now.set(at + later)
            await settle()
            if not await ReachMessage.filter(state="queued").exists():
                break
        sent = Counter(map(_line, await self.new_messages(at)))
        expected = Counter(map(_line, self.expected(at)))
        assert (expected - sent, sent - expected) == ({}, {}), "missing, and too much"


def _line(one: Message) -> str:
    return f"{one.at:.0f} {one.to} {one.why} {sorted(one.needs)} over {sorted(one.over)}"


async def five(cast: Cast) -> dict[str, Person]:
    """Ada, Ben, Cleo, and two who are new."""
    found = {"ada": cast.ada, "ben": cast.ben, "cleo": cast.cleo}
    for name in ("fay", "gus"):
        user = await create_user(f"{name}@example.org", name.title(), "member", cast.organization, None, "write")
        found[name] = await as_person(cast.app, user)
    zones = ("Europe/Berlin", "Asia/Tokyo", "America/New_York", "Europe/Berlin", "Australia/Sydney")
    for one, zone in zip(found.values(), zones, strict=True):
        await User.filter(id=one.id).update(timezone=zone)
    return found


async def choose(cast: Cast, people: dict[str, Person]) -> dict[str, Somebody]:
    """Let each choose something else, and tell the oracle."""
    board, dome = str(cast.board.id), str(cast.other_board.id)
    chosen: dict[str, dict[str, Any]] = {
        "ada": {"next_after": 5},
        "ben": {"wake": True},
        "cleo": {"boards": [{"board_id": board, "how": "digest"}]},
        "gus": {"kinds": {"question": "never"}, "boards": [{"board_id": dome, "how": "at_once"}]},
    }
    for name, body in chosen.items():
        (await people[name].call("PUT", "/users/me/reach", body)).ok()
    await User.filter(id=people["fay"].id).update(away_until=START + timedelta(hours=1))
    return {
        "ada": Somebody("ada", "Europe/Berlin", ("ada", "ada-two"), next_after=300),
        "ben": Somebody("ben", "Asia/Tokyo", ("ben", "ben-two"), wakes=True),
        "cleo": Somebody(
            "cleo", "America/New_York", ("cleo",), boards={"Telescope": "digest"}, sees=lambda one: one.board != "Dome"
        ),
        "fay": Somebody("fay", "Europe/Berlin", ("fay",), away_until=HOUR),
        "gus": Somebody(
            "gus", "Australia/Sydney", ("gus", "gus-two"), kinds={"question": "never"}, boards={"Dome": "at_once"}
        ),
    }


async def ada_reads(world: World) -> None:
    """Ada opens the newest message on her first device."""
    device = await Device.get(label="ada")
    message = await ReachMessage.filter(device_id=device.id).order_by("-created_at", "-id").first()
    if message is not None:
        await open_message(await world.cast.ada.actor(), message.id)
        parts = await ReachMessageNeed.filter(message_id=message.id, ended_how=None)
        open_needs = {one.id for one in world.needs if one.ended is None}
        world.spirits["ada"].opens(str(one.subject_id) for one in parts if str(one.subject_id) in open_needs)


@pytest.mark.once
async def test_the_oracle_sleeps_at_night() -> None:
    ada = Somebody("ada", "Europe/Berlin", ("ada",))
    assert ada.quiet_until(START, 0) is None
    assert ada.quiet_until(START, 9 * HOUR) == 18 * HOUR


@pytest.mark.thorough
async def test_two_hundred_needs_in_ten_minutes_are_sent_as_the_rules_say(cast: Cast, chat: Chat) -> None:
    people = await five(cast)
    with clock() as now:
        now.set(-60)
        world = World(cast, chat, people, await choose(cast, people))
        for who in world.spirits.values():
            for place, link in enumerate(who.links):
                device = await chat.link(people[who.name].id, link)
                await Device.filter(id=device.id).update(position=place)
        for number in range(60):
            at = number * TICK
            await world.look(at, now)
            if number < OPENING:
                await world.ask(number, at)
            for need in [*world.of(number, 0), *world.of(number - 3, 1, 2, 10), *world.of(number - 5, 8)]:
                await world.answer(need, at, cast.ada)
            if number >= 46 and (number - 46) % 3 == 0:
                for need in world.of(number - 46, 4):
                    await world.answer(need, at, cast.ben)
            if number % 4 == 2:
                await ada_reads(world)
        for at in MORNINGS:
            await world.look(at, now)
    assert len(world.needs) >= 200
    names = [one.name for one in chat.channel.sent]
    assert len(names) == len(set(names)) == len(world.known)
    whys = {one.why for one in await ReachMessage.all()}
    assert whys == {"first", "unseen", "last call", "digest"}
