"""A hundred messages to two providers over the sudden death of the server: each arrives, at most twice; then once.

One provider recognizes what is sent again, the other does not. Both keep a message and then leave the server waiting
for the answer, so that it dies between the two.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from quart import Quart, request

from mission_control.core.secrets import encrypt
from tests.channels.fake_ntfy import FakeNtfy
from tests.channels.fake_telegram import FakeTelegram
from tests.channels.serving import serving
from tests.live.scenarios import database, new_board
from tests.live.servers import PATIENCE, Installation, Server, installation

pytestmark = pytest.mark.database

KEY = "a-secret-key-of-an-installation-for-tests-that-is-long-enough-to-be-one"
EACH, KILLS = 50, 4
MOMENT = "'2026-11-26 12:00:00.000000'"
SETTINGS = {"SECRET_KEY": KEY, "OUTBOUND_ALLOW_PRIVATE": "true"}


@dataclass
class Providers:
    """Both, and what came; the first answer to each receiver waits while `is_held`."""

    telegram: FakeTelegram = field(default_factory=FakeTelegram)
    ntfy: FakeNtfy = field(default_factory=lambda: FakeNtfy(is_open=True))
    came: Counter[str] = field(default_factory=Counter)
    is_held: bool = False
    held: set[str] = field(default_factory=set)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def slow(self, app: Quart) -> Quart:
        """Let a provider answer late, after it has kept what came."""

        @app.after_request
        async def answer(response: Any) -> Any:
            sent = await request.get_json(silent=True) or {}
            to = str(sent.get("chat_id") or sent.get("topic") or "")
            if request.method == "POST" and to and "message_id" not in sent:
                self.came[to] += 1
                if self.is_held and self.came[to] == 1:
                    self.held.add(to)
                    await self.gate.wait()
            return response

        return app

    async def holds(self) -> None:
        """Wait until some have a message and were not answered, or nothing is left to send."""
        self.is_held = True
        async with asyncio.timeout(PATIENCE):
            while not self.held and len(self.came) < 2 * EACH:
                await asyncio.sleep(0.01)

    def let_go(self) -> None:
        """Forget those who waited: whoever sent it is dead."""
        self.gate.set()
        self.gate, self.held, self.is_held = asyncio.Event(), set(), False


@asynccontextmanager
async def providers() -> AsyncIterator[tuple[Providers, str, str]]:
    both = Providers()
    async with serving(both.slow(both.telegram.app)) as telegram, serving(both.slow(both.ntfy.app)) as ntfy:
        try:
            yield both, telegram, ntfy
        finally:
            both.let_go()


async def ask(server: Server) -> str:
    """Something waits on a board; its id."""
    board = await new_board(server)
    wanted = {"action_type": "deploy", "confidence": 90, "lead_reasoning": "Tests are green."}
    async with server.client() as client:
        (await client.post(f"{board}/approvals", json=wanted)).raise_for_status()
    return board.rpartition("/")[2]


async def place(home: Installation, board: str, telegram: str, ntfy: str) -> None:
    """Fifty groups of Telegram and fifty topics of ntfy have the board; what waits there waits since long ago."""
    channel, bot = uuid4(), encrypt(json.dumps({"token": "123456:tests-token"}), KEY)
    statements = [
        f"UPDATE approvals SET created_at = {MOMENT}",
        "INSERT INTO reach_channels (id, organization_id, kind, name, settings, secrets, state, position, created_at,"
        f" updated_at) SELECT '{channel}', organization_id, 'telegram', 'Bot', '{json.dumps({'api': telegram})}',"
        f" '{bot}', 'on', '', {MOMENT}, {MOMENT} FROM boards WHERE id = '{board}'",
    ]
    for number in range(EACH):
        group, topic = f"-100{number:04}", f"topic-{number}"
        own = encrypt(json.dumps({"server": ntfy, "topic": topic}), KEY)
        statements += [
            _device(board, "telegram", f"'{channel}'", group, ""),
            _device(board, "ntfy", "NULL", topic, own),
        ]
    for statement in statements:
        await database(home, statement)


def _device(board: str, kind: str, channel: str, address: str, own: str) -> str:
    return (
        "INSERT INTO reach_devices (id, board_id, kind, channel_id, mark, who, address, settings, origin, label,"
        f" position, created_at) VALUES ('{uuid4()}', '{board}', '{kind}', {channel}, '{kind} {address}', '',"
        f" '{encrypt(address, KEY)}', '{own}', '', '{address}', 0, {MOMENT})"
    )


async def sent(home: Installation) -> set[str]:
    """The receivers whose message the database calls sent."""
    found = await database(
        home, "SELECT d.label FROM reach_messages m JOIN reach_devices d ON d.id = m.device_id WHERE m.state = 'sent'"
    )
    return {row[0] for row in found}


async def until_sent(home: Installation, receivers: set[str]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not receivers <= await sent(home):
            await asyncio.sleep(0.2)


async def until_all_sent(home: Installation) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(await sent(home)) < 2 * EACH:
            await asyncio.sleep(0.2)


async def tells_the_truth(home: Installation, both: Providers, twice: set[str]) -> None:
    """Every receiver has the message, once where the provider recognizes it; states, names and deliveries say so."""
    assert set(both.came) == await sent(home)
    assert len(both.came) == 2 * EACH
    assert twice <= {to for to, number in both.came.items() if number == 2}
    assert max(both.came.values()) == 2
    assert len(both.ntfy.shown) == EACH  # a phone shows one message of each topic
    assert {one["topic"] for one in both.ntfy.shown.values()} == {f"topic-{number}" for number in range(EACH)}
    names = await database(home, "SELECT provider_name, sent_at, error FROM reach_messages")
    assert len(names) == 2 * EACH
    assert all(name and moment and error is None for name, moment, error in names)
    assert await database(home, "SELECT state, COUNT(*) FROM deliveries GROUP BY state") == [("sent", 2 * EACH)]
    await home.command("audit", "verify", **SETTINGS)


@pytest.mark.thorough
async def test_a_hundred_messages_arrive_over_deaths_of_the_only_server(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, providers() as (both, telegram, ntfy):
        async with home.served(**SETTINGS) as first:
            board = await ask(first)
        await place(home, board, telegram, ntfy)
        twice: set[str] = set()
        for _ in range(KILLS):
            async with home.served(**SETTINGS) as server:
                await until_sent(home, set(both.came))  # those of the death before among them
                await both.holds()
                await server.kill()
                await asyncio.sleep(0.1)  # what it had written last is read
            assert await sent(home) <= set(both.came)
            twice |= both.held
            both.let_go()
        async with home.served(**SETTINGS):
            await until_all_sent(home)
        # On PostgreSQL leases end after a while, in which all others are sent.
        assert len(twice) >= (1 if home.sqlite_file is None else KILLS)
        await tells_the_truth(home, both, twice)


@pytest.mark.postgres
@pytest.mark.thorough
async def test_another_server_sends_what_one_that_died_had_begun(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, providers() as (both, telegram, ntfy):
        async with home.served(**SETTINGS) as first:
            board = await ask(first)
        await place(home, board, telegram, ntfy)
        async with home.served(**SETTINGS) as one:
            await both.holds()
            async with home.served(**SETTINGS):
                waited = set(both.held)
                await one.kill()
                both.let_go()
                await until_all_sent(home)
        await tells_the_truth(home, both, {to for to in waited if both.came[to] == 2})
