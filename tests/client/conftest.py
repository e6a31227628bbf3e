"""One server for the tests of a file; a board with a lead and a worker, and the worker's terminal, for each."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.client.shop import Shop, shop_in
from tests.client.terminal import Terminal
from tests.live.crew import Crew, crew
from tests.live.servers import Server, installation


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A running server."""
    async with installation(tmp_path_factory.mktemp("client")) as here, here.served() as running:
        yield running


@pytest.fixture
async def made(server: Server) -> Crew:
    """A new board with its two agents."""
    return await crew(server)


@pytest.fixture
def vega(made: Crew, tmp_path: Path) -> Terminal:
    """The terminal of the worker."""
    names = {"MISSION_CONTROL_URL": made.server.url, "MISSION_CONTROL_TOKEN": made.vega.token}
    terminal = Terminal(tmp_path / "vega", names)
    terminal.fetch(made.server.url)
    return terminal


@pytest.fixture
def shop(made: Crew, tmp_path: Path) -> Shop:
    """The repository and the worker."""
    return shop_in(tmp_path, made)
