"""Copies of the cast: made once through commands, then written for each test as if the commands had run again.

A copy has ids and times of its own, in the same order, and logs that hold. So what a process remembers of one test's
cast, which is by ids, says nothing about the next one's. Only the secrets of tokens are the same.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from quart import Quart
from tortoise.models import Model
from tortoise.transactions import in_transaction

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.values import new_id
from mission_control.database import records
from mission_control.events import event_log
from mission_control.events.event_log import GENESIS, sign
from mission_control.events.models import Event
from mission_control.events.position import ACCOUNT_HEAD
from mission_control.people.audit import account_log
from mission_control.people.audit.account_log import AccountHead
from mission_control.people.models import AccountEvent, BoardAccess, InstanceSetting, Member, Organization, Token, User
from tests.cast import Caller, Cast, assemble

# What commands write for the cast, in the order in which rows refer to each other, and the order within a table.
TABLES: dict[type[Model], str] = {
    Organization: "created_at", User: "created_at", Member: "created_at", Board: "created_at",
    BoardAccess: "created_at", Agent: "created_at", Token: "created_at", Event: "organization_id, seq",
    AccountEvent: "seq",
}  # fmt: skip
ID = re.compile(r"\b[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}\b")

type Change = Callable[[Any], Any]


async def cast_for_a_test(app: Quart, original: "Original") -> Cast:
    """Everybody: a copy of the original, or made by commands where something is in the account log already."""
    if await account_log.read_head() is not None:
        return await assemble(app)
    return await original.copied()


@dataclass(frozen=True, slots=True)
class Original:
    """A cast that was made by commands, and every row that they wrote."""

    cast: Cast
    rows: dict[type[Model], list[Model]]
    changing: list[dict[str, Any]]
    """What a copy has otherwise, for each row in their order."""
    ids: list[UUID]
    made_at: datetime

    @classmethod
    async def read(cls, cast: Cast) -> Self:
        """Read a cast that was just made, in a database where nothing else is."""
        rows = {model: await records.find_all(model, f"1 = 1 ORDER BY {order}") for model, order in TABLES.items()}
        changing = [_changing(one.__dict__) for some in rows.values() for one in some]
        ids = {found for values in changing for value in values.values() for found in _ids(value)}
        return cls(cast, rows, changing, sorted(ids), times.clock_now())

    async def copied(self) -> Cast:
        change = self._change()
        changing = iter(self.changing)
        rows = {model: [_copy(one, next(changing), change) for one in some] for model, some in self.rows.items()}
        head = _chain(rows)
        async with in_transaction():
            for some in rows.values():
                await records.insert(*some)
            await records.insert(InstanceSetting(name=ACCOUNT_HEAD, value=head.stored()))
        return self._cast(change)

    def _change(self) -> Change:
        ids, later = {one: new_id() for one in self.ids}, times.clock_now() - self.made_at

        def id_in_text(found: re.Match[str]) -> str:
            other = ids[UUID(found[0])]
            return str(other) if found[1] else other.hex

        def change(value: Any) -> Any:
            if isinstance(value, UUID):
                return ids.get(value, value)
            if isinstance(value, datetime):
                return value + later
            return ID.sub(id_in_text, value) if isinstance(value, str) else value

        return change

    def _cast(self, change: Change) -> Cast:
        changed: dict[str, Any] = {}
        for part in fields(self.cast):
            one = getattr(self.cast, part.name)
            if isinstance(one, Model):
                changed[part.name] = _copy(one, _changing(one.__dict__), change)
            elif isinstance(one, Caller):
                own = {item.name: change(getattr(one, item.name)) for item in fields(one)}
                changed[part.name] = replace(one, **{**own, "headers": dict(one.headers)})
        return replace(self.cast, **changed)


def _ids(value: Any) -> Iterable[UUID]:
    if isinstance(value, UUID):
        return [value]
    return [UUID(found[0]) for found in ID.finditer(value)] if isinstance(value, str) else []


def _changing(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if isinstance(value, datetime) or _ids(value)}


def _copy[M: Model](one: M, changing: dict[str, Any], change: Change) -> M:
    made = one.__new__(type(one))
    made.__dict__.update(one.__dict__)
    made.__dict__.update({name: change(value) for name, value in changing.items()})
    return made


def _chain(rows: dict[type[Model], list[Any]]) -> AccountHead:
    """Chain copied events and entries again, sign the heads of the organizations, and return that of the accounts."""
    heads = {one.id: one for one in rows[Organization]}
    for one in heads.values():
        one.log_hash = GENESIS
    for event in rows[Event]:
        head = heads[event.organization_id]
        event.prev_hash = head.log_hash
        event.hash = head.log_hash = event_log.chain_hash(event)
    for one in heads.values():
        one.log_signature = sign(str(one.id), one.log_seq, one.log_hash)
    digest = GENESIS
    for entry in rows[AccountEvent]:
        entry.prev_hash = digest
        entry.hash = digest = account_log.chain_hash(entry)
    return AccountHead.signed(len(rows[AccountEvent]), digest)
