"""Reads that wait, on served processes: another process wakes them, a stop answers them, a hang-up ends them."""

import asyncio
from pathlib import Path

import httpx
import pytest

from mission_control.core.settings import Settings
from tests.cast import Cast
from tests.live.claim_plays import new_crew
from tests.live.servers import API, BEFORE_POLLS_END, PATIENCE, TELLING, Installation, installation
from tests.live.test_polls import READS, known_path

pytestmark = pytest.mark.dialect


@pytest.mark.postgres
async def test_another_process_wakes_what_waits(cast: Cast, settings: Settings, tmp_path: Path) -> None:
    home = Installation(tmp_path, settings.database_url)
    async with (
        home.served(program=TELLING, SECRET_KEY=settings.secret_key) as server,
        httpx.AsyncClient(base_url=f"{server.url}{API}", timeout=PATIENCE) as elsewhere,
    ):
        for read in READS.values():
            (await cast.ada.call("PUT", f"{cast.home}/work-state", {"state": "running"})).ok()
            path, headers = await known_path(cast, read), getattr(cast, read.who).headers
            before = server.log.read_text().count(f"\nwaits at {read.channel(cast)}")
            poll = asyncio.create_task(elsewhere.request(read.method, path, headers=headers))
            await server.told(f"waits at {read.channel(cast)}", before + 1)
            await read.changes(cast)
            answer = await asyncio.wait_for(poll, BEFORE_POLLS_END)
            assert answer.status_code == 200, answer.text
            assert answer.json().get("version", answer.json().get("directive")) != path.rpartition("=")[2]


@pytest.mark.database
async def test_stop_answers_what_waits_and_a_hang_up_ends_it(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served(program=TELLING) as server:
        crew = await new_crew(server, 1)
        board = crew.claims.removesuffix("/claims").partition(API)[2].removeprefix("/agent")
        agent = {"X-Agent-Token": crew.tokens[0]}
        waits = {
            "directives:": ("POST", "/agent/heartbeat?known=continue", agent),
            "needs:": ("GET", "/needs?known=", server.headers),
            "approvals:": ("GET", f"/agent{board}/approvals?known=", agent),
            "questions:": ("GET", f"{board}/questions?known=", agent),
        }
        async with (
            httpx.AsyncClient(base_url=f"{server.url}{API}", timeout=PATIENCE) as client,
            asyncio.TaskGroup() as group,
        ):
            polls = []
            for channel, (method, path, headers) in waits.items():
                first = (await client.request(method, path, headers=headers)).json()
                address = f"{path}{first.get('version', '')}&wait_seconds=50"
                gone = group.create_task(client.request(method, address, headers=headers))
                seen = server.log.read_text().count(f"\nwaits no more at {channel}")
                await server.told(f"waits at {channel}", seen + 1)
                gone.cancel()
                await server.told(f"waits no more at {channel}", seen + 1)
                polls.append(group.create_task(client.request(method, address, headers=headers)))
                await server.told(f"waits at {channel}", seen + 2)
            assert await server.stop(BEFORE_POLLS_END) == 0
        assert [one.result().status_code for one in polls] == [200] * len(waits)
