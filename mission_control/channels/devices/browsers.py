"""Browsers as devices: how one becomes a person's, is found again after it changed its subscription, and ends."""

from dataclasses import dataclass

from mission_control.channels.models import Device
from mission_control.channels.preferences.commands import announce
from mission_control.channels.providers.push.provider import PUSH
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid, NotFound
from mission_control.core.values import fingerprint
from mission_control.database.records import find, insert_new, update
from mission_control.database.sql import rows
from mission_control.events.commands import command
from mission_control.events.event_log import AccountKind
from mission_control.people.audit.account_log import record_account
from mission_control.people.models import User

ACCOUNT_EVENTS = (
    AccountKind("device.added", "Somebody made a browser one of their devices, which shows what needs them."),
    AccountKind("device.lost", "A browser became the device of another person who is signed in there."),
)
MOST_DEVICES = 50
TOO_MANY = f"You have {MOST_DEVICES} devices. Remove one of them first."
_OWN = "user_id = ? AND kind = ?"


@dataclass(frozen=True, slots=True)
class BrowserLink:
    """A browser that becomes a device: `who` it is, and its encrypted `address`.

    `replaces` is who it was before, as it says.
    """

    who: str
    address: str
    label: str
    origin: str
    replaces: str = ""


def who_is(endpoint: str) -> str:
    """Return what names a browser: the hash of its endpoint, which is a secret; pages compute it too."""
    return fingerprint(endpoint)


def mark_of(who: str) -> str:
    return fingerprint(f"{PUSH.kind}  {who}")


@command("account.update")
async def link_browser(actor: Actor, user: User, wanted: BrowserLink) -> Device:
    """Make a browser a device of a person, or keep it one with another subscription; it becomes nobody else's.

    Raises NotFound when the device that it would replace was removed, Invalid when the person has too many.
    """
    known = await find(Device, "mark = ?", mark_of(wanted.who), lock=True)
    if known is not None and known.user_id != user.id:
        await _lose(known)
        known = None
    device = known or await _former(user, wanted.replaces)
    if device is None and await Device.filter(user_id=user.id, ended_at=None).count() >= MOST_DEVICES:
        raise Invalid(TOO_MANY)
    is_new = device is None
    device = device or Device(user_id=user.id, kind=PUSH.kind, label=wanted.label, position=await _position(user))
    device.mark, device.who = mark_of(wanted.who), wanted.who
    device.address, device.origin = wanted.address, wanted.origin
    device.last_error = device.failed_at = device.ended_at = None
    if is_new:
        if not await insert_new([device]):  # the page and the worker of one browser say it at the same time
            return await Device.get(mark=device.mark)
        await record_account("device.added", user.id, device_id=device.id, label=device.label)
    else:
        await update(device, "mark", "who", "origin", "address", "last_error", "failed_at", "ended_at")
    announce(actor)
    return device


async def _former(user: User, replaces: str) -> Device | None:
    """Return the device that a browser was, also when its push service ended it; None when it is a new one."""
    if not replaces:
        return None
    where = f"{_OWN} AND who = ? ORDER BY created_at DESC, id LIMIT 1"
    found = await find(Device, where, user.id, PUSH.kind, replaces)
    if found is None or found.ended_at not in (None, found.failed_at):
        raise NotFound()  # the person removed it; what its push service ends has failed in the same moment
    return found


async def _lose(device: Device) -> None:
    device.mark, device.ended_at, device.address = None, times.clock_now(), ""
    device.last_error = "This browser reaches another account since then."
    await update(device, "mark", "ended_at", "address", "last_error")
    await record_account("device.lost", device.user_id, device_id=device.id, label=device.label)


async def _position(user: User) -> int:
    [row] = await rows("SELECT COALESCE(MAX(position), -1) + 1 AS next FROM reach_devices WHERE user_id = ?", user.id)
    return int(row["next"])
