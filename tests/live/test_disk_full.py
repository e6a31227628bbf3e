"""A full disk is told clearly, leaves nothing half written, and is forgotten once there is room again."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from tortoise.connection import get_connection

from mission_control.database.outages import AWAY, FULL, NAME, outage, trouble
from mission_control.database.sql import rows
from mission_control.events.event_log import verify
from tests.cast import Cast, head

ROOM = 12  # pages: enough to begin, not enough to end


@pytest.fixture
async def little_room(cast: Cast) -> AsyncIterator[None]:
    connection = get_connection("default")
    if connection.capabilities.dialect != "sqlite":
        pytest.skip("PostgreSQL has no limit that a test may set")
    await connection.execute_script("VACUUM")  # free pages inside the file are room as well
    [row] = await connection.execute_query_dict("PRAGMA page_count")
    await connection.execute_query_dict(f"PRAGMA max_page_count = {row['page_count'] + ROOM}")
    yield
    await connection.execute_query_dict("PRAGMA max_page_count = 1073741823")


async def test_full_disk_is_503_and_writes_nothing_partially(cast: Cast, little_room: None) -> None:
    refused = 0
    for number in range(60):
        answer = await cast.ada.post(cast.tasks, {"title": f"Task {number}", "description": "x" * 8000})
        if answer.status == 200:
            continue
        refused += 1
        assert answer.refused(503) == FULL
        assert answer.headers["Retry-After"]
    assert refused
    before = await head(cast)
    await get_connection("default").execute_query_dict("PRAGMA max_page_count = 1073741823")
    await cast.add_task(title="There is room again")
    assert await head(cast) == before + 1
    tasks = (await cast.ada.get(cast.tasks)).ok()["total"]
    [row] = await get_connection("default").execute_query_dict(
        "SELECT COUNT(*) AS n FROM events WHERE kind = 'task.created'"
    )
    assert tasks == row["n"] == 60 - refused + 1
    assert (await verify(cast.organization.id))[1] is None


async def test_full_disk_refuses_writes_and_allows_reads(cast: Cast, little_room: None) -> None:
    task = await cast.add_task()
    answers = [await cast.vega.post(f"{cast.task(task)}/comments", {"message": "y" * 8000}) for _ in range(40)]
    assert {answer.status for answer in answers} == {200, 503}
    assert (await cast.ada.get(cast.tasks)).status == 200


async def test_readiness_reports_a_full_disk(cast: Cast, little_room: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mission_control.database.outages.SECONDS_BETWEEN_TRIES", 0.0)
    monkeypatch.setattr(trouble, "_sentence", None)
    client = cast.app.test_client()
    assert (await client.get("/readyz")).status_code == 200
    answers = [await cast.ada.post(cast.tasks, {"title": "x", "description": "y" * 60_000}) for _ in range(4)]
    assert answers[-1].refused(503) == FULL
    told = await client.get("/readyz")
    assert told.status_code == 503
    assert (await told.get_json())["checks"]["database"] == "The disk of the database is full."
    await get_connection("default").execute_query_dict("PRAGMA max_page_count = 1073741823")
    assert (await client.get("/readyz")).status_code == 200
    assert not await rows("SELECT 1 FROM instance_settings WHERE name = ?", NAME)


@pytest.mark.parametrize("error", [
    asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
    asyncpg.InterfaceError("cannot call Connection.fetch(): connection has been released back to the pool"),
    ConnectionResetError(104, "Connection reset by peer"),
    ConnectionRefusedError(111, "Connection refused"),
    asyncpg.CannotConnectNowError("the database system is starting up"),
])  # fmt: skip
def test_restarting_database_is_unavailable(error: Exception) -> None:
    """All of these were answers to requests while PostgreSQL restarted under load."""
    assert outage(error) == AWAY


def test_ordinary_error_is_not_an_outage() -> None:
    assert outage(ValueError("disk is full")) is None
