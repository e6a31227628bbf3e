"""A program that waits while its server is killed and started again."""

from pathlib import Path

import pytest

from tests.client.terminal import Terminal, ended
from tests.live.crew import crew
from tests.live.servers import TELLING, installation

pytestmark = pytest.mark.database


async def test_wait_outlives_the_server(tmp_path: Path) -> None:
    async with installation(tmp_path) as here:
        server = await here.start(program=TELLING)
        made = await crew(server)
        names = {"MISSION_CONTROL_URL": server.url, "MISSION_CONTROL_TOKEN": made.vega.token}
        vega = Terminal(tmp_path / "vega", names)
        vega.fetch(server.url)
        waiting = await vega.start("claim", "--wait")
        await server.told("waits at work:", 2)  # at first it asks for a second alone
        await server.kill()
        async with here.served(port=server.port) as again:
            made.server = again
            await made.add_task("After the restart")
            printed = await ended(waiting)
    assert printed.code == 0 and "# Task #1: After the restart" in printed.out
    assert printed.err in (
        "",
        f"Mission Control did not answer at {server.url} (Connection refused). Trying again ...\n",
    )
