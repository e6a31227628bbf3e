"""Browsers as devices: how one becomes a person's, is found again after it changed its subscription, and ends."""

from dataclasses import dataclass
from uuid import UUID

from quart import current_app

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid, NotFound, invalid_field
from mission_control.core.secrets import encrypt
from mission_control.core.values import fingerprint
from mission_control.database.records import find, insert, update
from mission_control.database.sql import rows
from mission_control.log.commands import command
from mission_control.log.event_log import AccountKind
from mission_control.people.account_log import record_account
from mission_control.people.models import User
from mission_control.reach.models import Device
from mission_control.reach.push import PUSH, Subscription
from mission_control.reach.push_hosts import APPLE, NO_NAME, maker_of, subject_of
from mission_control.reach.webpush import are_keys

ACCOUNT_EVENTS = (
    AccountKind("device.added", "Somebody made a browser one of their devices, which shows what needs them."),
    AccountKind("device.lost", "A browser became the device of another person who is signed in there."),
)
MOST_DEVICES = 50
OTHER_SERVICE = "This browser's push service is not one that is known here. Name its host in PUSH_HOSTS."
TOO_MANY = f"You have {MOST_DEVICES} devices. Remove one of them first."
_OWN = "user_id = ? AND kind = ?"


@dataclass(frozen=True, slots=True)
class BrowserLink:
    """A subscription that becomes a device. `replaces` is the endpoint that the browser had before."""

    subscription: Subscription
    label: str
    origin: str
    replaces: str = ""


def who_is(endpoint: str) -> str:
    """Return what names a browser: the hash of its endpoint, which is a secret; pages compute it too."""
    return fingerprint(endpoint)


def mark_of(who: str) -> str:
    """Return the name of a browser among all devices."""
    return fingerprint(f"{PUSH.kind}  {who}")


async def browsers_of(user_id: UUID | None) -> list[str]:
    """Return what names each browser of a person."""
    found = await rows(f"SELECT who FROM reach_devices WHERE {_OWN} AND ended_at IS NULL", user_id, PUSH.kind)
    return [str(row["who"]) for row in found]


def refuse_useless(subscription: Subscription) -> None:
    """Raise Invalid when nothing could be sent there."""
    settings = current_app.config["SETTINGS"]
    maker = maker_of(subscription.endpoint, settings)
    if maker is None:
        raise invalid_field("endpoint", OTHER_SERVICE)
    if maker == APPLE and subject_of(settings) is None:
        raise invalid_field("endpoint", NO_NAME)
    if not are_keys(subscription.p256dh, subscription.auth):
        raise invalid_field("p256dh", "These are not the keys of a subscription.")


@command("account.update")
async def link_browser(actor: Actor, user: User, wanted: BrowserLink) -> Device:
    """Make a browser a device of a person, or keep it one with another subscription; it becomes nobody else's.

    Raises NotFound when the device that it would replace was removed, Invalid when the person has too many.
    """
    who = who_is(wanted.subscription.endpoint)
    known = await find(Device, "mark = ?", mark_of(who), lock=True)
    if known is not None and known.user_id != user.id:
        await _lose(known)
        known = None
    device = known or await _former(user, wanted.replaces)
    if device is None and len(await browsers_of(user.id)) >= MOST_DEVICES:
        raise Invalid(TOO_MANY)
    is_new = device is None
    device = device or Device(user_id=user.id, kind=PUSH.kind, label=wanted.label, position=await _position(user))
    device.mark, device.who, device.origin = mark_of(who), who, wanted.origin
    device.address = encrypt(wanted.subscription.to_text(), current_app.config["SECRET_KEY"])
    device.last_error = device.failed_at = device.ended_at = None
    if is_new:
        await insert(device)
        await record_account("device.added", user.id, device_id=device.id, label=device.label)
    else:
        await update(device, "mark", "who", "origin", "address", "last_error", "failed_at", "ended_at")
    return device


async def _former(user: User, replaces: str) -> Device | None:
    """Return the device that a browser was, also when its push service ended it; None when it is a new one."""
    if not replaces:
        return None
    where = f"{_OWN} AND who = ? ORDER BY created_at DESC, id LIMIT 1"
    found = await find(Device, where, user.id, PUSH.kind, who_is(replaces))
    if found is None or (found.ended_at is not None and found.failed_at is None):
        raise NotFound()
    return found


async def _lose(device: Device) -> None:
    device.mark, device.ended_at = None, times.clock_now()
    await update(device, "mark", "ended_at")
    await record_account("device.lost", device.user_id, device_id=device.id, label=device.label)


async def _position(user: User) -> int:
    [row] = await rows("SELECT COALESCE(MAX(position), -1) + 1 AS next FROM reach_devices WHERE user_id = ?", user.id)
    return int(row["next"])
