"""The heads of all logs: sign them for the first time, list them for safekeeping, check them against such a list."""

import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import orjson

from mission_control.core.actor import Scope, system
from mission_control.core.secrets import audit_key, existing_secret_key, load_or_create_secret_key
from mission_control.core.settings import Settings
from mission_control.core.values import parse_id
from mission_control.database.fit import refuse_another_key, verify_secret_key
from mission_control.database.sql import rows
from mission_control.events import event_log
from mission_control.events.commands import atomically
from mission_control.events.event_log import AccountKind, Kind, Names, Verdict, judge, sign, use_key
from mission_control.events.models import Event
from mission_control.events.unit_of_work import record
from mission_control.people.audit import account_log
from mission_control.people.audit.account_log import AccountHead, record_account
from mission_control.people.models import AccountEvent, Organization

EVENTS = (
    Kind(
        "log.sealed",
        "A log from before actors' names were hashed got a digest of the names in it.",
        "sealed the names of actors in the log",
    ),
)
ACCOUNT_EVENTS = (
    AccountKind(
        "audit.heads_signed", "An administrator signed the heads of logs that this installation had not signed."
    ),
)

AT_ONCE = 2000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LogHead:
    """The newest number of a log, its hash and their signature. `log` is an organization's id, or "accounts"."""

    log: str
    name: str
    seq: int
    hash: str
    signature: str

    @property
    def verdict(self) -> Verdict:
        return judge(self.log, self.seq, self.hash, self.signature)

    def line(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def parse(cls, line: str) -> "LogHead":
        """Parse such a line. Invalid: ValueError."""
        values: Any = orjson.loads(line)
        match values:
            case {"log": str(), "name": str(), "seq": int(), "hash": str(), "signature": str()}:
                return cls(**{name: values[name] for name in cls.__slots__})
        raise ValueError("not a head")


async def open_logs(settings: Settings) -> None:
    """Check the secret key, use it for signatures, and sign the heads of a database from before heads were signed.

    Raises ConfigError when the database was made with another key.
    """
    await refuse_another_key(settings)
    key = load_or_create_secret_key(settings)
    use_key(audit_key(key))
    await verify_secret_key(key)
    await sign_first_heads()


def use_settings_key(settings: Settings) -> None:
    """Use the secret key of these settings for the signatures of heads, whatever it is; make none."""
    use_key(audit_key(existing_secret_key(settings) or ""))


async def sign_first_heads() -> None:
    """Sign every head of a database in which none was ever signed.

    Names of actors in events that do not hash them are sealed by an event that holds a digest of them.
    """
    head = await account_log.read_head()
    if head is not None and head.signature:
        return
    if await rows(
        "SELECT 1 AS found FROM organizations WHERE log_signature <> ''"
        " UNION ALL SELECT 1 FROM events WHERE version > 1 LIMIT 1"
    ):  # a signature, or an event written since heads are signed
        _log.error("the head of the account log was removed; run `mission-control audit verify`")
        return

    async def work() -> None:
        head = await account_log.locked_head()
        if head.signature:
            return
        await account_log.save_head(AccountHead.signed(head.seq, head.digest))
        for organization in await Organization.all().order_by("id"):
            await _sign(organization)

    await atomically(system(), work)


async def _sign(organization: Organization) -> None:
    signature = sign(str(organization.id), organization.log_seq, organization.log_hash)
    await Organization.filter(id=organization.id).update(log_signature=signature)
    if organization.log_seq == 0:
        return
    names, seq = Names(), 0
    while page := await rows(
        "SELECT seq, actor_name FROM events WHERE organization_id = ? AND seq > ? AND version = 1 ORDER BY seq LIMIT ?",
        organization.id,
        seq,
        AT_ONCE,
    ):
        for row in page:
            names.add(seq := int(row["seq"]), row["actor_name"])
    message = "The names in events before this one were sealed."
    record("log.sealed", Scope(organization_id=organization.id), message, names=names.digest())


def head_of(organization: Organization) -> LogHead:
    id, name = str(organization.id), organization.name
    return LogHead(id, name, organization.log_seq, organization.log_hash, organization.log_signature)


async def heads() -> list[LogHead]:
    listed = [head_of(organization) for organization in await Organization.all().order_by("created_at", "id")]
    if (head := await account_log.read_head()) is not None:
        listed.append(LogHead(account_log.LOG, "Accounts", head.seq, head.digest, head.signature))
    return listed


async def sign_again(faulty: Iterable[LogHead]) -> None:
    """Sign heads as they are, whatever happened to their logs; the account log records it."""

    async def work() -> None:
        head = await account_log.locked_head()
        await account_log.save_head(AccountHead.signed(head.seq, head.digest))
        for broken in faulty:
            if broken.log != account_log.LOG:
                unchanged = Organization.filter(id=UUID(broken.log), log_seq=broken.seq, log_hash=broken.hash)
                await unchanged.update(log_signature=sign(broken.log, broken.seq, broken.hash))
        await record_account("audit.heads_signed", None, heads=[asdict(head) for head in faulty])

    await atomically(system(), work)


async def verify_all() -> list[tuple[str, int, str | None]]:
    """Verify every log. Return name, number of valid entries and first fault of each."""
    faults = []
    for organization in await Organization.all().order_by("created_at", "id"):
        faults.append((f"{organization.name} ({organization.id})", *await event_log.verify(organization.id)))
    return [*faults, ("Accounts", *await account_log.verify())]


async def fault_against(head: LogHead) -> str | None:
    if head.verdict in (Verdict.FORGED, Verdict.MISSING):
        return "This line was not signed by this installation: it was changed."
    if head.log == account_log.LOG:
        entry = await AccountEvent.get_or_none(seq=head.seq)
        return _difference(head, entry.hash if entry else None)
    organization_id = parse_id(head.log)
    if not await Organization.filter(id=organization_id).exists():
        deletions = await AccountEvent.filter(kind="organization.deleted").values_list("data", flat=True)
        if any(orjson.loads(str(data)).get("organization_id") == head.log for data in deletions):
            return None
        return "The organization is gone, but nobody deleted it."
    event = await Event.get_or_none(organization_id=organization_id, seq=head.seq)
    return _difference(head, event.hash if event else None)


def _difference(head: LogHead, digest: str | None) -> str | None:
    if head.seq == 0 or digest == head.hash:
        return None
    if digest is None:
        return f"Number {head.seq} was written and is gone."
    return f"Number {head.seq} is not what was written: the log was rewritten."
