"""What it costs to reach people: `python -m bench.reach [--needs 100] [--people 5] [--old FOLDER]`.

In this process, on SQLite, with a chat that answers after 0.2 seconds; `--old` is a folder of `bench.old`. Statements
and milliseconds of CPU of looks (all needs are new; nothing changed; one is new), how many needs are taken up in a
second, and how long 200 messages to teams take from the moment at which they are due.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from bench.old import url_of
from bench.server import TOKEN
from bench.statements import _trace, sent
from mission_control.approvals.models import Approval
from mission_control.background.loops import LOOPS
from mission_control.background.sending import SENDING, install_sender
from mission_control.boards.models import Board
from mission_control.channels.channel import Line, Message
from mission_control.channels.delivery import planner
from mission_control.channels.delivery.planner import bring_up_to_date
from mission_control.channels.delivery.sending import senders
from mission_control.channels.messages.rows import SENDING as MESSAGES
from mission_control.channels.models import Device, ReachNeed
from mission_control.core import current_app, times
from mission_control.core.settings import Settings
from mission_control.database.migrate import migrate
from mission_control.people.accounts.commands import create_user
from mission_control.people.audit.log_heads import sign_first_heads
from mission_control.people.models import Organization
from mission_control.server.app import create_app
from tests.channels.fake_channel import Chat, FakeChannel, chat_of, installed

TEAMS = 200
LOOKS = 10


async def measured(settings: Settings, needs: int, people: int) -> list[str]:
    await migrate(settings)
    app = create_app(settings)
    for one in LOOPS:
        if one is not SENDING:
            one.look = _nothing
    async with app.test_app():
        await sign_first_heads()
        organization = await Organization.first() or await Organization.found("Bench")
        board = await Board.filter(organization_id=organization.id).first() or await _board(organization)
        channel = Slow()
        with installed(channel):
            chat = await chat_of(organization.id, channel)
            await _people(organization, chat, people)
            return [*await _looks(organization, board, needs, people), *await _sends(organization, channel, chat)]


class Slow(FakeChannel):
    """A provider somewhere in the world."""

    def __init__(self) -> None:
        super().__init__()
        self.has_all = asyncio.Event()

    async def send(self, line: Line, message: Message) -> str:
        await asyncio.sleep(0.2)
        found = await super().send(line, message)
        if len([one for one in self.sent if one.to.startswith("#")]) == TEAMS:
            self.has_all.set()
        return found


async def _nothing(*_: object) -> float:
    return 60.0


async def _board(organization: Organization) -> Board:
    return await Board.create(organization_id=organization.id, name="Bench", slug="bench", description="A bench.")


async def _people(organization: Organization, chat: Chat, number: int) -> None:
    for one in range(number):
        mail = f"bench{one}.{times.epoch_seconds():.0f}@example.org"
        user = await create_user(mail, f"Bench {one}", "admin", organization, None)
        await chat.link(user.id, f"bench{one}")


async def _ask(board: Board, number: int) -> None:
    since = times.clock_now() - timedelta(minutes=5)
    asked = [
        Approval(
            board_id=board.id,
            action_type=f"deploy.{one}",
            confidence=80,
            payload={"reason": "Ready."},
            created_at=since,
        )
        for one in range(number)
    ]
    await Approval.bulk_create(asked)


async def _looks(organization: Organization, board: Board, needs: int, people: int) -> list[str]:
    before = await Approval.filter(status="pending").count()
    await _ask(board, needs)
    first = await _cost(lambda: bring_up_to_date(organization.id))
    rows = await ReachNeed.all().count()
    again = [await _cost(lambda: bring_up_to_date(organization.id)) for _ in range(LOOKS)]
    longest = max([await _longest_turn(lambda: bring_up_to_date(organization.id)) for _ in range(LOOKS)])
    await _ask(board, 1)
    new = await _cost(lambda: bring_up_to_date(organization.id))
    ms, statements = sorted(again)[LOOKS // 2]
    return [
        f"{needs} needs beside {before} approvals that waited, {people} people",
        f"first look: {first[0]:.0f} ms, {first[1]} statements; {rows} rows, {1000 * rows / first[0]:.0f} in a second",
        f"nothing changed: {ms:.0f} ms, {statements} statements (median of {LOOKS})",
        f"longest turn of the event loop: {longest:.0f} ms (of {LOOKS})",
        f"one is new: {new[0]:.0f} ms, {new[1]} statements",
    ]


async def _cost(look: Callable[[], Awaitable[object]]) -> tuple[float, int]:
    """Return the milliseconds of CPU and the statements of a look."""
    traced: list[str] = []
    await _trace(traced.append)
    began = time.process_time()
    await look()
    took = 1000 * (time.process_time() - began)
    await _trace(None)
    return took, len(sent(traced))


async def _longest_turn(look: Callable[[], Awaitable[object]]) -> float:
    """Return the most milliseconds for which nothing else had a turn."""
    longest = 0.0

    async def take_turns() -> None:
        nonlocal longest
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            longest, last = max(longest, time.perf_counter() - last), time.perf_counter()

    turns = asyncio.create_task(take_turns())
    await look()
    turns.cancel()
    return 1000 * longest


async def _sends(organization: Organization, channel: Slow, chat: Chat) -> list[str]:
    """Send one need to many teams, which is as many messages at once, by the application's own loop."""
    await Device.all().delete()
    slug = f"teams-{times.epoch_seconds():.0f}"
    other = await Board.create(organization_id=organization.id, name="Teams", slug=slug, description="Many.")
    for one in range(TEAMS):
        await chat.link_team(other.id, f"#{one}")
    await _ask(other, 1)
    install_sender(next(one for one in senders(current_app.app()) if one.kind == f"{MESSAGES}fake"))
    planner.choices_changed()
    began = time.perf_counter()
    await planner.look()
    planned = time.perf_counter() - began
    await channel.has_all.wait()
    took = time.perf_counter() - began
    return [f"{TEAMS} messages: planned in {1000 * planned:.0f} ms, all sent after {took:.1f} s"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.reach", description=__doc__)
    parser.add_argument("--needs", type=int, default=100)
    parser.add_argument("--people", type=int, default=5)
    parser.add_argument("--old", type=Path, help="a folder of `bench.old`, which is changed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mc-reach-") as name:
        folder, more = Path(name), {}
        if options.old is not None:
            folder, more = options.old / "data", {"DATABASE_URL": url_of(options.old)}
        settings = Settings.from_environment({"DATA_DIR": str(folder), "LOCAL_AUTH_TOKEN": TOKEN, **more})
        for line in asyncio.run(measured(settings, options.needs, options.people)):
            print(line)


if __name__ == "__main__":
    main()
