"""How many SQL statements each operation sends, counted by SQLite itself inside one process."""

from pathlib import Path
from typing import Any

from bench.data import V1, Data, Request, operations
from bench.server import TOKEN
from mission_control.config import Settings


async def count(folder: Path) -> dict[str, int]:
    """Statements per request by name of the operation, BEGIN and COMMIT included."""
    from tortoise.connection import get_connection

    from mission_control.app import create_app
    from mission_control.database.migrate import migrate

    settings = Settings.from_environment({"DATA_DIR": str(folder), "LOCAL_AUTH_TOKEN": TOKEN})
    await migrate(settings)
    app = create_app(settings)
    counts: dict[str, int] = {}
    async with app.test_app():
        client = app.test_client()
        seen: list[str] = []

        async def call(request: Request) -> Any:
            method, path, body = request
            headers = {"Authorization": f"Bearer {TOKEN}"}
            answer = await client.open(path, method=method, json=body, headers=headers)
            return await answer.get_json()

        data = await _small(call)
        connection: Any = get_connection("default")
        await connection._connection.set_trace_callback(seen.append)
        for name, make in operations(data).items():
            await call(make(0, 0))
            seen.clear()
            await call(make(0, 1))
            counts[name] = len(seen)
    return counts


async def _small(call: Any) -> Data:
    board = await call(
        ("POST", f"{V1}/boards",
         {"name": "B", "slug": "b", "description": "b", "board_type": "general", "require_approval_for_done": False})
    )  # fmt: skip
    path = f"{V1}/boards/{board['id']}"
    tasks = [(await call(("POST", f"{path}/tasks", {"title": "T"})))["id"] for _ in range(3)]
    return Data(path, tasks)
