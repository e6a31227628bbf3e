"""The account log: sign-ins, passwords and tokens, numbered and chained for the whole installation."""

import hashlib
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError

from mission_control.accounts.models import AccountEvent, InstanceSetting
from mission_control.core import clock
from mission_control.core.command import unit_of_work
from mission_control.database.sql import rows
from mission_control.live.log import GENESIS, canonical

HEAD = "account_log"


async def record_account(kind: str, user_id: UUID | None, **data: Any) -> None:
    """Append an entry inside the running command; the head's row is the lock."""
    head = await _locked_head()
    seq, _, previous = head.partition(":")
    event = AccountEvent(
        seq=int(seq) + 1,
        kind=kind,
        user_id=user_id,
        actor_id=unit_of_work().actor.id,
        data=canonical(data),
        prev_hash=previous,
        created_at=clock.now(),
    )
    event.hash = chain_hash(event)
    await event.save(force_create=True)
    await InstanceSetting.filter(name=HEAD).update(value=f"{event.seq}:{event.hash}")


async def _locked_head() -> str:
    await InstanceSetting.bulk_create([InstanceSetting(name=HEAD, value=f"0:{GENESIS}")], ignore_conflicts=True)
    found = await rows("UPDATE instance_settings SET value = value WHERE name = ? RETURNING value", HEAD)
    if not found:
        raise IntegrityError("The account log has no head.")
    return str(found[0]["value"])


def chain_hash(event: AccountEvent) -> str:
    """SHA-256 over the previous hash and every field, as canonical JSON."""
    moment = event.created_at.isoformat(timespec="microseconds")
    fields = [
        event.prev_hash,
        event.seq,
        event.id,
        event.kind,
        event.user_id,
        event.actor_id,
        event.data,
        moment,
    ]
    return hashlib.sha256(canonical(fields).encode()).hexdigest()


async def verify() -> tuple[int, str | None]:
    """Walk the account log; returns how many entries hold and the first fault as a sentence."""
    previous, seq = GENESIS, 0
    async for event in AccountEvent.all().order_by("seq"):
        if event.seq != seq + 1:
            return seq, f"Entry {seq + 1} is missing."
        if event.prev_hash != previous or chain_hash(event) != event.hash:
            return seq, f"Entry {event.seq} was changed after it was written."
        previous, seq = event.hash, event.seq
    head = await InstanceSetting.get_or_none(name=HEAD)
    if head is not None and head.value != f"{seq}:{previous}":
        return seq, f"The log ends at entry {seq}, but entry {head.value.partition(':')[0]} was written."
    return seq, None
