"""An organization's head: its row, under whose lock events and deliveries get their numbers.

It is taken last and held until the commit, so that numbers become visible in order: a reader who has seen one never
finds a smaller new one.
"""

import logging
from dataclasses import dataclass
from uuid import UUID

from mission_control.core.errors import NotFound
from mission_control.database.sql import is_postgres, rows
from mission_control.live.signatures import Verdict, judge, sign

_log = logging.getLogger(__name__)
_reported: set[str] = set()


@dataclass(slots=True)
class Head:
    """The newest numbers of an organization, and the hash of its newest event with its signature."""

    organization_id: UUID
    log_seq: int
    log_hash: str
    log_signature: str
    delivery_seq: int
    is_genuine: bool


async def lock(organization_id: UUID) -> Head:
    """Lock the head inside the running transaction; NotFound when the organization has been deleted."""
    found = await rows(
        "SELECT log_seq, log_hash, log_signature, delivery_seq FROM organizations WHERE id = ?"
        + (" FOR NO KEY UPDATE" if is_postgres() else ""),
        organization_id,
    )
    if not found:
        raise NotFound()
    row = found[0]
    seq, digest, signature = int(row["log_seq"]), row["log_hash"], row["log_signature"]
    is_genuine = may_be_signed(str(organization_id), seq, digest, signature)
    return Head(organization_id, seq, digest, signature, int(row["delivery_seq"]), is_genuine)


async def save(head: Head) -> None:
    """Save a head that is locked."""
    if head.is_genuine:
        head.log_signature = sign(str(head.organization_id), head.log_seq, head.log_hash)
    await rows(
        "UPDATE organizations SET log_seq = ?, log_hash = ?, log_signature = ?, delivery_seq = ? WHERE id = ?",
        head.log_seq,
        head.log_hash,
        head.log_signature,
        head.delivery_seq,
        head.organization_id,
    )


def may_be_signed(log: str, seq: int, digest: str, signature: str) -> bool:
    """Return whether a head is as this installation left it.

    Another one is written on, for work must not stop, but never signed again: a new signature would hide what was done
    to the log. `mission-control audit verify` goes on finding it.
    """
    if judge(log, seq, digest, signature) is Verdict.VALID:
        return True
    if log not in _reported:
        _reported.add(log)
        _log.error("a log was changed by something else; run `mission-control audit verify`", extra={"log_id": log})
    return False
