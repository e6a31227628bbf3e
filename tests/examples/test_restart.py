"""Examples outlast a server that dies. It has an installation of its own, so this is apart from the other examples."""

from pathlib import Path

import pytest

from tests.examples.test_examples import WORKERS, end, reviewed, start
from tests.live.crew import crew
from tests.live.servers import installation

pytestmark = [pytest.mark.database, pytest.mark.once]


@pytest.mark.parametrize("example", WORKERS)
@pytest.mark.thorough
async def test_worker_survives_a_server_crash(tmp_path: Path, example: str) -> None:
    async with installation(tmp_path) as here:
        server = await here.start()
        made = await crew(server)
        process = await start(made, made.vega, *[part for part in WORKERS[example] if part != "--until-empty"])
        try:
            await reviewed(made, await made.add_task("A comet"))
            await server.kill()
            made.server = server = await here.start(port=server.port)
            await reviewed(made, await made.add_task("Its tail"))
        finally:
            await end(process)
            await server.stop()
