"""Fixtures of tests of what is live."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from quart import Quart

from mission_control.core.settings import Settings
from mission_control.runs.claims import polling
from tests.live.servers import API, Installation
from tests.live.waiters import LOOKS


@pytest.fixture
def looks_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember in LOOKS every look for work that found none."""
    LOOKS.clear()
    look = polling.look

    async def looked(*arguments: Any) -> Any:
        found = await look(*arguments)
        if found[0] is None:
            LOOKS.append(None)
        return found

    monkeypatch.setattr(polling, "look", looked)


@pytest.fixture(scope="module")
async def elsewhere(
    app: Quart, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    """Another worker: a server process on the database of the application under test."""
    home = Installation(tmp_path_factory.mktemp("elsewhere"), settings.database_url)
    async with (
        home.served(SECRET_KEY=settings.secret_key) as server,
        httpx.AsyncClient(base_url=f"{server.url}{API}", timeout=60) as client,
    ):
        yield client
