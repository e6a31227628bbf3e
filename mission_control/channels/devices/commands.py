"""The devices and accounts where a person is reached: adding, ordering, removing, and what ends one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from mission_control.channels.channel import CHANNELS, Channel, Refused, Typed
from mission_control.channels.installation import refuse_out_of_reach, require_filled, sealed, sealed_values
from mission_control.channels.models import Device, ReachChannel
from mission_control.channels.preferences.commands import WAKES, announce
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, existing, invalid_field
from mission_control.core.values import fingerprint
from mission_control.database.records import insert_new
from mission_control.events.commands import command
from mission_control.events.event_log import AccountKind
from mission_control.events.unit_of_work import notify, signal
from mission_control.people.accounts.commands import tokens_ended
from mission_control.people.audit.account_log import record_account
from mission_control.people.models import User

ACCOUNT_EVENTS = (AccountKind("device.ended", "A device or an account of a chat no longer reaches its person."),)
MOST = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A place to add: its kind, the organization's channel if it belongs to one, and what was read for it."""

    kind: str
    typed: Typed
    channel: ReachChannel | None = None
    settings: Mapping[str, str] | None = None
    origin: str = ""

    def mark_for(self, user_id: UUID | None) -> str:
        """Return what names the receiver among all. Who types an address proves nothing: others may have it too."""
        return fingerprint(f"{self.kind}/{self.channel.id if self.channel else user_id}/{self.typed.who}")


def _typed_channel(kind: str) -> Channel:
    typed = {channel.kind: channel for channel in CHANNELS.values() if channel.links == "typed"}
    if kind not in typed:
        kinds = ", ".join(typed) or "none"
        raise invalid_field("kind", f"This is not added by typing an address. Kinds: {kinds}")
    return typed[kind]


def typed_place(kind: str, values: Mapping[str, str], label: str, origin: str) -> Place:
    """Return the place that a person typed. Invalid says what is wrong."""
    channel = _typed_channel(kind)
    known = {setting.name for setting in channel.own}
    if unknown := sorted(values.keys() - known):
        raise invalid_field("values", f"{unknown[0]} is not known here. Known: {', '.join(sorted(known))}")
    given = {name: value.strip() for name, value in values.items() if value.strip()}
    require_filled(channel.own, given)
    try:
        typed = channel.typed(given)
    except Refused as error:
        raise invalid_field("values", str(error)) from None
    if "://" in typed.who:
        refuse_out_of_reach("values", typed.who)
    # An address that is typed may be a secret: it is known by its hash.
    typed = Typed(fingerprint(typed.who), typed.address, label or typed.label)
    return Place(kind, typed, settings=given, origin=origin)


@command("reach.choose")
async def add_device(actor: Actor, place: Place) -> Device:
    """Add a place where the person is reached; one that they have already is brought up to date.

    An account of a chat that reached somebody else ends for them: it belongs to one person. Raises Conflict for more
    than 20.
    """
    await User.select_for_update(no_key=True).get(id=actor.user_id)
    mark = place.mark_for(actor.user_id)
    known = await Device.select_for_update().get_or_none(mark=mark)
    if known is not None and known.user_id != actor.user_id:
        await end_device(known, f"{place.typed.label} now reaches another account.")
        known = None
    mine = await Device.filter(user_id=actor.user_id, ended_at=None).order_by("position")
    if known is None and len(mine) >= MOST:
        raise Conflict(f"You have {MOST} devices already. Remove one that you no longer use.")
    values = {
        "address": sealed(place.typed.address),
        "settings": sealed_values(place.settings or {}),
        "origin": place.origin,
        "label": place.typed.label[:200],
        "who": place.typed.who,
        "last_error": None,
        "failed_at": None,
    }
    if known is not None:
        await known.update_from_dict(values).save(update_fields=[*values])
        announce(actor)
        return known
    channel = place.channel
    made = Device(
        user_id=actor.user_id,
        organization_id=channel.organization_id if channel else None,
        channel_id=channel.id if channel else None,
        kind=place.kind,
        mark=mark,
        position=1 + max((device.position for device in mine), default=0),
        **values,
    )
    if not await insert_new([made]):  # somebody else confirmed at the same time that it is theirs
        raise Conflict("This account is being linked to somebody else. Try again.")
    await record_account("device.added", actor.user_id, device_id=made.id, label=made.label)
    announce(actor)
    return made


@command("reach.choose")
async def remove_device(actor: Actor, device: Device) -> None:
    """Let a device reach nobody; of one that has ended, forget why."""
    device = await locked(device)
    if device.ended_at is None:
        await end_device(device, None)
    else:
        await Device.filter(id=device.id).update(last_error=None, failed_at=None)
    announce(actor)


@command("reach.choose")
async def order_devices(actor: Actor, ids: Sequence[UUID]) -> None:
    """Put the person's devices into an order. Invalid unless it names each of them once."""
    await User.select_for_update(no_key=True).get(id=actor.user_id)
    mine = {device.id: device.position for device in await Device.filter(user_id=actor.user_id, ended_at=None)}
    if len(ids) != len(mine) or set(ids) != mine.keys():
        raise invalid_field("ids", f"Name each of your {len(mine)} devices once")
    for position, device_id in enumerate(ids, 1):
        if mine[device_id] != position:
            await Device.filter(id=device_id).update(position=position)
    announce(actor)


@tokens_ended
async def end_devices(user_id: UUID) -> None:
    """End what reaches a person and answers for them, as somebody else may have added it in their name."""
    for device in await Device.select_for_update().filter(user_id=user_id, ended_at=None).order_by("id"):
        await end_device(device, "All access to your account was ended. Add it again if it is yours.")


async def locked(device: Device) -> Device:
    return await existing(Device.select_for_update().get_or_none(id=device.id))


async def end_device(device: Device, reason: str | None) -> None:
    """Inside a command: end a device; its secrets are erased. The reason is shown to its person."""
    now = times.clock_now()
    await Device.filter(id=device.id).update(
        ended_at=now, mark=None, address="", settings="", last_error=reason, failed_at=now if reason else None
    )
    if device.user_id is not None:
        await record_account("device.ended", device.user_id, device_id=device.id, label=device.label)
        user = await User.get(id=device.user_id)
        if (organization_id := device.organization_id or user.active_organization_id) is not None:
            signal(organization_id, reach_of=str(device.user_id))
    notify(WAKES)
