"""The account log: sign-ins, passwords and tokens, numbered and chained for the whole installation."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from tortoise.exceptions import IntegrityError

from mission_control.core import times
from mission_control.database.sql import rows
from mission_control.events.event_log import ACCOUNT_KINDS, GENESIS, canonical, head_fault, may_be_signed, sign
from mission_control.events.position import ACCOUNT_HEAD
from mission_control.events.unit_of_work import unit_of_work
from mission_control.people.models import AccountEvent, InstanceSetting

LOG = "accounts"


@dataclass(frozen=True, slots=True)
class AccountHead:
    """The number and hash of the newest entry, with their signature."""

    seq: int
    digest: str
    signature: str

    @classmethod
    def parse(cls, value: str) -> "AccountHead":
        """Read a stored head; before heads were signed they were number and hash only."""
        seq, digest, signature = [*value.split(":", 2), ""][:3]
        return cls(int(seq), digest, signature)

    @classmethod
    def signed(cls, seq: int, digest: str) -> "AccountHead":
        return cls(seq, digest, sign(LOG, seq, digest))

    def stored(self) -> str:
        return f"{self.seq}:{self.digest}:{self.signature}"


async def record_account(kind: str, user_id: UUID | None, **data: object) -> None:
    """Append an entry in the running command, under the lock of the head's row."""
    if kind not in ACCOUNT_KINDS:
        raise RuntimeError(f"No feature declares entries of the kind {kind}.")
    head = await locked_head()
    event = AccountEvent(
        seq=head.seq + 1,
        kind=kind,
        user_id=user_id,
        actor_id=unit_of_work().actor.id,
        data=canonical(data),
        prev_hash=head.digest,
        created_at=times.clock_now(),
    )
    event.hash = chain_hash(event)
    await event.save(force_create=True)
    is_signed = may_be_signed(LOG, head.seq, head.digest, head.signature)
    written = AccountHead(event.seq, event.hash, head.signature)
    await save_head(AccountHead.signed(event.seq, event.hash) if is_signed else written)


async def locked_head() -> AccountHead:
    """Lock the head until the transaction ends and return it; an unsigned one if there is none."""
    fresh = AccountHead(0, GENESIS, "").stored()
    await InstanceSetting.bulk_create([InstanceSetting(name=ACCOUNT_HEAD, value=fresh)], ignore_conflicts=True)
    heads = await rows("UPDATE instance_settings SET value = value WHERE name = ? RETURNING value", ACCOUNT_HEAD)
    if not heads:
        raise IntegrityError("The account log has no head.")
    return AccountHead.parse(heads[0]["value"])


async def save_head(head: AccountHead) -> None:
    await InstanceSetting.filter(name=ACCOUNT_HEAD).update(value=head.stored())


async def read_head() -> AccountHead | None:
    value = await InstanceSetting.read(ACCOUNT_HEAD)
    return AccountHead.parse(value) if value else None


def chain_hash(event: AccountEvent) -> str:
    """Return the SHA-256 of the previous hash and all fields, as canonical JSON."""
    moment = event.created_at.isoformat(timespec="microseconds")
    chained = [event.prev_hash, event.seq, event.id, event.kind, event.user_id, event.actor_id, event.data, moment]
    return hashlib.sha256(canonical(chained).encode()).hexdigest()


async def verify() -> tuple[int, str | None]:
    """Verify the account log. Return the number of valid entries and the first fault as a sentence."""
    previous, seq = GENESIS, 0
    newest = await AccountEvent.all().order_by("-seq").first()
    head = await read_head()
    if head is None:
        return 0, "The account log has no head: it was removed."
    async for event in AccountEvent.filter(seq__lte=head.seq).order_by("seq"):
        if event.seq != seq + 1:
            return seq, f"Entry {seq + 1} is missing."
        if event.prev_hash != previous or chain_hash(event) != event.hash:
            return seq, f"Entry {event.seq} was changed after it was written."
        previous, seq = event.hash, event.seq
    if (head.seq, head.digest) != (seq, previous):
        return seq, f"The log ends at entry {seq}, but entry {head.seq} was written."
    if newest is not None and newest.seq > head.seq:
        return seq, f"Entry {newest.seq} was added to a log that ends at entry {head.seq}."
    return seq, head_fault(LOG, head.seq, head.digest, head.signature)
