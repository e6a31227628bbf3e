"""What every operation answers to everybody: the machine behind `operation_rights.csv`.

`python -m pytest tests/contract/test_operation_rights.py --write-rights` writes the table anew; read the difference
before you commit it.
"""

import asyncio
import csv
from pathlib import Path
from typing import Any

from mission_control.core import times
from mission_control.http.registry import OPERATIONS, Operation
from mission_control.people.models import Member, Token
from tests.cast import Caller, Cast, _person, hire

FILE = Path(__file__).with_name("operation_rights.csv")
COLUMNS = (
    "nobody", "revoked", "revoked_agent", "nova", "mira", "vega", "atlas",
    "eve", "without", "dan", "cleo", "ben", "ada",
)  # fmt: skip
NEVER = {"If-Match": '"never"'}  # a write on a state that does not exist goes through every check and changes nothing
REFUSALS = {401, 403, 404}
PATIENCE = 60


def operations() -> list[Operation]:
    return sorted((one for one in OPERATIONS if one.who != "anyone"), key=lambda one: (one.path, one.method))


def named(one: Operation) -> str:
    return f"{one.method} {one.path}"


def table() -> dict[tuple[str, str], dict[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as opened:
        return {(row["method"], row["path"]): row for row in csv.DictReader(opened)}


def write(found: dict[tuple[str, str], dict[str, str]]) -> None:
    names = {(one.method, one.path): one.name for one in operations()}
    with FILE.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(["name", "method", "path", *COLUMNS])
        for (method, path), row in sorted(found.items(), key=lambda one: (one[0][1], one[0][0])):
            writer.writerow([names.get((method, path), ""), method, path, *(row[name] for name in COLUMNS)])


async def callers(cast: Cast) -> dict[str, Caller]:
    """Everybody by the table's names, the least powerful first, so that what one does cannot help the next."""
    without = await _person(cast.app, cast.organization, "Finn", "member")
    await Member.filter(user_id=without.id).update(all_boards_read=False, all_boards_write=False)
    revoked = await _person(cast.app, cast.organization, "Gus", "owner")
    fired = await hire(cast.app, cast.ada, cast.board, "Fired")
    await Token.filter(user_id=revoked.id).update(revoked_at=times.clock_now())
    await Token.filter(agent_id=fired.id).update(revoked_at=times.clock_now())
    named = {name: getattr(cast, name) for name in COLUMNS if hasattr(cast, name)}
    return {**named, "without": without, "revoked": revoked, "revoked_agent": fired}


async def answer(one: Operation, caller: Caller, path: str) -> str:
    """`401`, `403`, `404`, or `in` for whatever lies behind the checks of credentials, reach and right."""
    options: dict[str, Any] = {"json": {}} if one.body is not None else {}
    headers = {} if one.method == "GET" else NEVER
    if one.is_stream:
        status = await _beginning(caller, path)
    else:
        status = (await caller.call(one.method, path, headers=headers, **options)).status
    return str(status) if status in REFUSALS else "in"


async def _beginning(caller: Caller, path: str) -> int:
    """The status with which a stream begins."""
    client = caller.app.test_client(use_cookies=False)
    request: Any = client.request(path, headers=caller.headers)
    async with request as connection:
        await connection.send_complete()
        await asyncio.wait_for(connection.receive(), PATIENCE)
        status: int = connection.status_code
        await connection.disconnect()
    return status
