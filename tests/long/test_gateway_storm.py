"""Notices and greetings on a real gateway while agents come and go, models fail and the gateway is killed."""

import asyncio
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.gateways.fake_model import Reply, Turn
from tests.gateways.real import RealGateway, started
from tests.gateways.real_programs import programs
from tests.gateways.scripted import START
from tests.gateways.team import Team, beside, checked_in, until

pytestmark = [pytest.mark.long, pytest.mark.gateway, pytest.mark.database]

ANSWERS, GREETINGS, PASSING = 40, 20, 4
WORD = re.compile(r"\bnebula(\d+)\b")
OVERLOADED_SECONDS = 40.0


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[RealGateway]:
    with started(programs(), tmp_path / "gateway") as one:
        yield one


class Storm:
    """What the agents' model answers: the first turns of some words fail, by 400 or for a while by 529."""

    def __init__(self) -> None:
        self.done: Counter[tuple[str, str]] = Counter()  # agent and word, or "hello"
        self.failed: Counter[str] = Counter()
        self._since: dict[tuple[str, str], float] = {}
        self._tries: dict[tuple[str, str], int] = defaultdict(int)
        self._lock = threading.Lock()

    def answer(self, turn: Turn) -> Reply | None:
        with self._lock:
            return self._answer(turn)

    def _answer(self, turn: Turn) -> Reply | None:
        words = dict.fromkeys(WORD.findall(turn.unanswered))
        for word in words:
            place = turn.agent, word
            self._tries[place] += 1
            first = self._since.setdefault(place, time.monotonic())
            if int(word) % 5 == 0 and self._tries[place] == 1:
                self.failed["400"] += 1
                return Reply(status=400)
            if int(word) % 5 == 1 and time.monotonic() - first < OVERLOADED_SECONDS:
                self.failed["529"] += 1
                return Reply(status=529)
        if not turn.results:
            self.done.update((turn.agent, word) for word in words)
        if "read AGENTS.md" in turn.user or "BOOTSTRAP.md" in turn.user:
            if turn.results:
                return None
            self.done[turn.agent, "hello"] += 1
            return Reply(command=START)
        return Reply("NOTED")


async def made_and_removed(team: Team) -> None:
    """Let agents come and go."""
    for number in range(PASSING):
        passing = await team.hire(f"Passing {number}")
        await asyncio.sleep(6)
        await team.ask("DELETE", f"/agents/{passing}")


async def told(team: Team) -> None:
    """Tell the workers in turn."""
    for number in range(ANSWERS):
        name = ("Vega", "Lyra")[number % 2]
        new = {"content": f"@{name} nebula{number}", "tags": ["chat"]}
        await team.ask("POST", f"/boards/{team.board_id}/memory", new)
        await asyncio.sleep(1.5)


async def killed(gateway: RealGateway) -> None:
    """Kill the gateway in the middle of it."""
    await asyncio.sleep(25)
    await asyncio.to_thread(gateway.stop, is_killed=True)
    try:
        await asyncio.to_thread(gateway.start)
    except AssertionError:  # it was making the database of an agent, and tells its owner what to do
        await gateway.command("doctor", "--fix")
        await asyncio.to_thread(gateway.start)


async def open_of(team: Team, agent_id: str) -> list[tuple[str, str | None]]:
    """The notices to an agent that have not arrived, with the reasons."""
    found = [await team.ask("GET", f"/agents/{agent_id}/deliveries?state={one}") for one in ("waiting", "failed")]
    return [(one["text"], one["last_error"]) for answer in found for one in answer["items"]]


async def test_nothing_is_lost_and_nothing_twice(gateway: RealGateway, tmp_path: Path) -> None:
    async with beside(gateway, tmp_path, checkin_seconds=900) as team:
        team.board_id = await team.new_board("Work")
        await team.ask("PATCH", f"/boards/{team.board_id}", {"max_agents": 50})
        storm = Storm()
        gateway.model.answer = storm.answer
        team.worker_ids = (await team.hire("Vega"), await team.hire("Lyra"))
        await checked_in(team, *team.worker_ids)
        coming = [team.hire(f"Coming {number}") for number in range(GREETINGS)]
        acts = asyncio.gather(made_and_removed(team), told(team), killed(gateway))
        greeted = await asyncio.gather(*coming)
        await acts
        agents = [f"mc-{one}" for one in greeted]
        wanted = [(f"mc-{team.worker_ids[number % 2]}", str(number)) for number in range(ANSWERS)]
        wanted += [(agent, "hello") for agent in agents]
        for _ in range(6):
            with suppress(AssertionError):
                await until(lambda: asyncio.sleep(2, storm.done), lambda done: all(done[one] for one in wanted))
        seen = [(name, *one) for name in (*team.worker_ids, *greeted) for one in await open_of(team, name)]
        times = [storm.done[one] for one in wanted]
        lost, doubled = times.count(0), sum(one > 1 for one in times)
        print(
            f"{ANSWERS} answers and {GREETINGS} greetings, failures {dict(storm.failed)}: {lost} lost, {doubled} twice"
        )
        assert (lost, doubled, seen) == (0, 0, []), [(one, n) for one, n in zip(wanted, times, strict=True) if n != 1]
        await checked_in(team, *greeted)
