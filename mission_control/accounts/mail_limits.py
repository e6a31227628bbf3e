"""How many mails people without a session may ask for, counted in the database: one number for all processes."""

from dataclasses import dataclass
from datetime import timedelta

from mission_control.accounts import setup
from mission_control.accounts.models import MailRequest
from mission_control.commands.command import command
from mission_control.core import clock
from mission_control.core.actor import Actor, system
from mission_control.core.errors import TooMany
from mission_control.core.ids import fingerprint
from mission_control.core.limits import NEIGHBOURS, wider
from mission_control.database.sql import is_postgres, rows

WINDOW = timedelta(hours=1)
BY_ADDRESS, FOR_ACCOUNT = 10, 3


@dataclass(frozen=True, slots=True)
class _Limit:
    """At most so many mails in an hour for a key."""

    key: str
    most: int


async def count_mail(email: str, address: str) -> None:
    """Count a mail that somebody at an address asks for. Raise TooMany, and count nothing, beyond the limits.

    A /64 of IPv6 counts for its /48 too, which has ten times the limit.
    """
    limits = [_Limit(_key("account", email.lower()), FOR_ACCOUNT), _Limit(_key("address", address), BY_ADDRESS)]
    if wide := wider(address):
        limits.append(_Limit(_key("address", wide), BY_ADDRESS * NEIGHBOURS))
    await _count(system(setup.NOWHERE), sorted(limits, key=lambda one: one.key))


def _key(kind: str, name: str) -> str:
    return fingerprint(f"mail {kind} {name}")


@command("account.mail_reset")
async def _count(actor: Actor, limits: list[_Limit]) -> None:
    since = clock.now() - WINDOW
    await MailRequest.filter(created_at__lt=since).delete()
    for limit in limits:
        await _hold(limit.key)
        found = MailRequest.filter(key=limit.key).order_by("-created_at").offset(limit.most - 1)
        if (last := await found.first()) is not None:
            raise TooMany(round((last.created_at - since).total_seconds()) + 1)
    await MailRequest.bulk_create([MailRequest(key=limit.key) for limit in limits])


async def _hold(key: str) -> None:
    """Let one transaction at a time count for a key; on SQLite one at a time writes anyway."""
    if is_postgres():
        await rows("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", key)
