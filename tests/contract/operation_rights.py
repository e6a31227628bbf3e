"""What every operation answers to everybody: the machine behind `operation_rights.csv`.

`python -m pytest tests/contract/test_operation_rights.py --write-rights` writes the table anew; read the difference
before you commit it.
"""

import asyncio
import csv
from pathlib import Path
from typing import Any
from uuid import UUID

from mission_control import features as features
from mission_control.accounts.models import Token
from mission_control.core import clock
from mission_control.core.registry import OPERATIONS, Operation
from mission_control.organizations.models import Member
from tests.api.test_attachments import send as send_file
from tests.cast import Caller, Cast, _person, hire

FILE = Path(__file__).with_name("operation_rights.csv")
COLUMNS = (
    "nobody", "revoked", "revoked_agent", "nova", "mira", "vega", "atlas",
    "eve", "without", "dan", "cleo", "ben", "ada",
)  # fmt: skip
NEVER = {"If-Match": '"never"'}  # a write on a state that does not exist goes through every check and changes nothing
REFUSALS = {401, 403, 404}
STREAM_PATIENCE = 0.3


def operations() -> list[Operation]:
    """Everything that needs credentials, in a fixed order."""
    return sorted((one for one in OPERATIONS if one.who != "anyone"), key=lambda one: (one.path, one.method))


def table() -> dict[tuple[str, str], dict[str, str]]:
    """The rows by method and path."""
    with FILE.open(encoding="utf-8", newline="") as opened:
        return {(row["method"], row["path"]): row for row in csv.DictReader(opened)}


def write(found: dict[tuple[str, str], dict[str, str]]) -> None:
    """Write the table anew."""
    with FILE.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(["method", "path", *COLUMNS])
        for (method, path), row in sorted(found.items(), key=lambda one: (one[0][1], one[0][0])):
            writer.writerow([method, path, *(row[name] for name in COLUMNS)])


async def callers(cast: Cast) -> dict[str, Caller]:
    """Everybody by the table's names, the least powerful first, so that what one does cannot help the next."""
    without = await _person(cast.app, cast.organization, "Finn", "member")
    await Member.filter(user_id=without.id).update(all_boards_read=False, all_boards_write=False)
    revoked = await _person(cast.app, cast.organization, "Gus", "owner")
    fired = await hire(cast.app, cast.ada, cast.board, "Fired")
    await Token.filter(user_id=revoked.id).update(revoked_at=clock.now())
    await Token.filter(agent_id=fired.id).update(revoked_at=clock.now())
    named = {name: getattr(cast, name) for name in COLUMNS if hasattr(cast, name)}
    return {**named, "without": without, "revoked": revoked, "revoked_agent": fired}


async def addresses(cast: Cast) -> dict[str, str]:
    """A value for every name in a path, each of the cast's board or organization."""
    task = await cast.add_task()
    comment = (await cast.ada.post(f"{cast.task(task)}/comments", {"message": "Hello"})).ok()
    step = (await cast.ada.post(f"{cast.task(task)}/checklist", {"text": "Step"})).ok()
    file = (await send_file(cast, task, by=cast.ada)).ok()
    token = await Token.get(agent_id=cast.vega.id)
    found: dict[str, Any] = {
        "board_id": cast.board.id,
        "task_id": task["id"],
        "comment_id": comment["id"],
        "item_id": step["id"],
        "attachment_id": file["id"],
        "approval_id": (await cast.ask(cast.vega, task))["id"],
        "agent_id": cast.vega.id,
        "token_id": token.id,
        "member_id": (await Member.get(user_id=cast.cleo.id)).id,
        "handle": "someone",
        "slug": "something",
    }
    return {name: str(value) for name, value in (found | await _more(cast)).items()}


async def _more(cast: Cast) -> dict[str, Any]:
    """Things of the organization and the board that are made over HTTP."""
    group = (await cast.ada.post("/board-groups", {"name": "Sky", "slug": "sky"})).ok()
    (await cast.ada.patch(cast.home, {"board_group_id": group["id"]})).ok()
    note = (await cast.ada.post(f"{cast.home}/memory", {"content": "Note"})).ok()
    shared = (await cast.ada.post(f"{cast.home}/group-memory", {"content": "Note"})).ok()
    tag = (await cast.ada.post("/tags", {"name": "Red"})).ok()
    hook = (await cast.ada.post(f"{cast.home}/webhooks", {"description": "Look"})).ok()
    invite = (await cast.ada.post("/organizations/me/invites", {"invited_email": "x@example.org"})).ok()
    field = {"field_key": "size", "board_ids": [str(cast.board.id)]}
    custom = (await cast.ada.post("/organizations/me/custom-fields", field)).ok()
    return {
        "group_id": group["id"],
        "memory_id": note["id"],
        "group_memory_id": shared["id"],
        "tag_id": tag["id"],
        "webhook_id": hook["id"],
        "invite_id": invite["id"],
        "task_custom_field_definition_id": custom["id"],
    }


def path_of(one: Operation, values: dict[str, str]) -> str:
    """The operation's path with the cast's things in it; unknown names get an id that nothing has."""
    parts = []
    for part in one.path.split("/"):
        head, bracket, rest = part.partition("<")
        name = rest.partition(">")[0].rpartition(":")[2]
        tail = rest.partition(">")[2]
        name = "group_memory_id" if name == "memory_id" and "group" in one.path else name
        parts.append(f"{head}{values.get(name, str(UUID(int=7)))}{tail}" if bracket else part)
    return "/".join(parts)


async def answer(one: Operation, caller: Caller, path: str) -> str:
    """`401`, `403`, `404`, or `in` for whatever lies behind the checks of credentials, reach and right."""
    options: dict[str, Any] = {"json": {}} if one.body is not None else {}
    headers = {} if one.method == "GET" else NEVER
    try:
        async with asyncio.timeout(STREAM_PATIENCE if one.is_stream else None):
            reply = await caller.call(one.method, path, headers=headers, **options)
    except TimeoutError:
        return "in"  # a stream that was refused would have ended
    return str(reply.status) if reply.status in REFUSALS else "in"
