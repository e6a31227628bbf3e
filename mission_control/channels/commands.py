"""Channels as admins set them up: made, changed, switched off, removed, and checked at the provider."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from mission_control.channels.addresses import line_with
from mission_control.channels.answers.receiving import LISTENING
from mission_control.channels.channel import CHANNELS, Channel, Later, Line, Refused, cut, plain
from mission_control.channels.devices.commands import end_device
from mission_control.channels.installation import opened_values, refuse_out_of_reach, require_filled, sealed_values
from mission_control.channels.models import Device, ReachChannel, ReachCode, ReachMessage
from mission_control.channels.preferences.commands import WAKES
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, existing, invalid_field
from mission_control.core.values import JsonObject
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import notify, record, signal
from mission_control.needs.recipients import in_words

EVENTS = (
    Kind.named("channel.created", "A channel was set up, by which people and teams are reached.", "set up the channel"),
    Kind.named("channel.changed", "A channel's name or settings changed, or it was switched.", "changed the channel"),
    Kind.named("channel.removed", "A channel was removed, with what it reached.", "removed the channel"),
)
ADDRESSES = ("server", "api")  # where secrets are sent
LONGEST_NAME = 200
MOST = 30  # of an organization
LINK_AGAIN = "Link your account again, to be reached and to answer there."
KNOWN_AS = "known_as"  # among the settings: how the provider names us, from its last check


@dataclass(frozen=True, slots=True)
class Checked:
    """What a provider said to the settings of a channel: how it names us, or why not; None when it was not reached."""

    ok: bool | None
    words: str


@dataclass(slots=True)
class Typed:
    """The settings of a channel, as they were typed: those that everybody may read, and the secrets."""

    settings: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


def kind_named(kind: str) -> Channel:
    """Return the kind of a channel that admins set up. Invalid names those that there are."""
    found = CHANNELS.get(kind)
    if found is None or not found.sets:
        kinds = ", ".join(channel.kind for channel in CHANNELS.values() if channel.sets)
        raise invalid_field("kind", f"There is no channel of this kind to set up. Kinds: {kinds or 'none'}")
    return found


def typed_values(kind: Channel, values: Mapping[str, str], before: Typed | None = None) -> Typed:
    """Return what was typed, over what was stored; an empty value removes one. Invalid says what is missing."""
    known = {setting.name: setting.is_secret for setting in kind.sets}
    if unknown := sorted(values.keys() - known.keys() - {"api"}):
        raise invalid_field("values", f"{unknown[0]} is not known here. Known: {', '.join(known)}")
    typed = Typed(dict(before.settings), dict(before.secrets)) if before else Typed()
    for name, value in values.items():
        place = typed.secrets if known.get(name) else typed.settings
        place.pop(name, None)
        if value.strip():
            place[name] = value.strip()
            if name in ADDRESSES or "://" in value:
                refuse_out_of_reach(f"values.{name}", value.strip())
    if before is not None:
        _refuse_redirected(kind, typed.secrets.keys() - values.keys(), typed, before)
    require_filled(kind.sets, typed.settings | typed.secrets)
    return typed


def _refuse_redirected(kind: Channel, untyped: Set[str], typed: Typed, before: Typed) -> None:
    """Raise Invalid for a secret that was not typed again although it would go to another address."""
    if all(typed.settings.get(name) == before.settings.get(name) for name in ADDRESSES):
        return
    if unsafe := [setting.name for setting in kind.sets if setting.name in untyped]:
        raise invalid_field(f"values.{unsafe[0]}", "Type it again: it would be sent to another address")


def line_of_typed(kind: Channel, typed: Typed) -> Line:
    """Return the way to a provider with settings that are not stored yet."""
    defaults = {setting.name: setting.default for setting in kind.sets if setting.default}
    return line_with(None, own=defaults | typed.settings | typed.secrets)


async def checked(kind: Channel, line: Line) -> Checked:
    """Ask the provider whether settings are right; it waits for the answer."""
    try:
        return Checked(True, cut(plain(await kind.check(line)), LONGEST_NAME))
    except Later as error:
        return Checked(None, str(error))
    except Refused as error:
        return Checked(False, str(error))


@command("channel.manage")
async def create_channel(actor: Actor, kind: Channel, name: str, typed: Typed, found: Checked) -> ReachChannel:
    """Store a channel whose settings the provider took, or that was not reached, which it says then.

    Raise Conflict for more than an organization can use: most of them are listened to all the time.
    """
    if await ReachChannel.filter(organization_id=actor.organization_id).count() >= MOST:
        raise Conflict(f"There are {MOST} channels here already. Remove one first.")
    channel = ReachChannel(organization_id=actor.organization_id, kind=kind.kind, name=name[:120])
    _store(channel, typed, found)
    await channel.save(force_create=True)
    record("channel.created", channel, f"Channel set up: {channel.name}", channel_kind=kind.kind)
    _announce(channel)
    return channel


@command("channel.manage")
async def update_channel(
    actor: Actor, channel: ReachChannel, name: str | None, state: str | None, typed: Typed | None, found: Checked
) -> ReachChannel:
    """Change what was sent: the name, the settings with what the provider said to them, whether it is used.

    Who chooses a setting may be who reads and signs at the provider from then on. So the accounts that were linked
    there end, and what was sent takes no answers.
    """
    channel = await locked(channel)
    before = {"name": channel.name, "state": channel.state}
    others = _different(typed, stored(channel)) if typed is not None else []
    _rename_or_switch(channel, name, state)
    if typed is not None:
        _store(channel, typed, found)
    after = {"name": channel.name, "state": channel.state}
    if typed is None and after == before:
        return channel
    channel.updated_at = times.clock_now()
    await channel.save()
    changed = {name: after[name] for name in after if after[name] != before[name]}
    names = sorted([*changed, *(["settings"] if typed is not None else [])])
    message, facts = f"Channel changed: {channel.name}", JsonObject(changed=names, after=changed)
    if others:
        what = _in_labels(channel, others)
        ended = await _end_accounts(channel, f"{actor.name} changed {what} of {channel.name}. {LINK_AGAIN}")
        facts |= {"settings": others, "ended_accounts": ended}
        message += f". {what}; {'1 linked account' if ended == 1 else f'{ended} linked accounts'} ended"
    record("channel.changed", channel, message, **facts)
    _announce(channel)
    return channel


def _rename_or_switch(channel: ReachChannel, name: str | None, state: str | None) -> None:
    if name is not None:
        channel.name = name[:120]
    if state is not None and (state == "off") != (channel.state == "off"):
        channel.state, channel.last_error, channel.failing_since = state, None, None


def _in_labels(channel: ReachChannel, names: Sequence[str]) -> str:
    kind = CHANNELS.get(channel.kind)
    labels = {setting.name: setting.label for setting in kind.sets} if kind is not None else {}
    return in_words(labels.get(name, name) for name in names)


@command("channel.manage")
async def note_check(actor: Actor, channel: ReachChannel, found: Checked) -> ReachChannel:
    """Store what the provider said to a check: how it names us, or why it does not work."""
    channel = await locked(channel)
    _store(channel, None, found)
    await channel.save(update_fields=["settings", "last_error", "failing_since", "state"])
    signal(channel.organization_id, reach_channel=str(channel.id))
    return channel


@command("channel.manage")
async def remove_channel(actor: Actor, channel: ReachChannel) -> None:
    """Remove a channel. The accounts that were linked there end, which their people read in their settings."""
    channel = await locked(channel)
    reason = f"{channel.name} was removed by {actor.name}."
    await _end_accounts(channel, reason)
    places = Device.filter(channel_id=channel.id, ended_at=None)
    await places.update(ended_at=times.clock_now(), last_error=reason)
    await Device.filter(channel_id=channel.id).update(channel_id=None, mark=None, address="", settings="")
    await channel.delete()
    record("channel.removed", channel, f"Channel removed: {channel.name}", channel_kind=channel.kind)
    _announce(channel)


def _different(typed: Typed, before: Typed) -> list[str]:
    now, then = typed.settings | typed.secrets, before.settings | before.secrets
    return sorted(one for one in now.keys() | then.keys() if now.get(one) != then.get(one))


async def _end_accounts(channel: ReachChannel, reason: str) -> int:
    """Inside a command: end the accounts linked to a channel, the codes for it, and the buttons of what was sent there.

    Their people read the reason. Return how many there were.
    """
    linked = Device.select_for_update().filter(channel_id=channel.id, ended_at=None).exclude(user_id=None)
    reached = await linked.order_by("id")
    for device in reached:
        await end_device(device, reason)
    await ReachCode.filter(channel_id=channel.id).delete()
    there = [str(one) for one in await Device.filter(channel_id=channel.id).values_list("id", flat=True)]
    await ReachMessage.filter(device_id__in=there, state__in=("sent", "seen")).update(
        state="expired", ended_at=times.clock_now(), ended_how=reason, awaits=None, awaits_until=None
    )
    channel.position = ""  # a provider counts what it was sent anew for another of its bots
    return len(reached)


async def locked(channel: ReachChannel) -> ReachChannel:
    """Return a channel as it is now, locked until the command ends. Raise NotFound when it was removed."""
    return await existing(ReachChannel.select_for_update().get_or_none(id=channel.id))


def stored(channel: ReachChannel) -> Typed:
    settings = {name: value for name, value in channel.settings.items() if name != KNOWN_AS}
    return Typed(settings, opened_values(channel.secrets))


def _store(channel: ReachChannel, typed: Typed | None, found: Checked) -> None:
    if typed is not None:
        channel.settings, channel.secrets = dict(typed.settings), sealed_values(typed.secrets)
    if found.ok:
        channel.settings = {**channel.settings, KNOWN_AS: found.words}
    if channel.state == "off":
        return
    if found.ok:
        channel.state, channel.last_error, channel.failing_since = "on", None, None
    elif found.words:
        channel.failing_since = channel.failing_since or times.clock_now()
        channel.state, channel.last_error = "failing", found.words


def _announce(channel: ReachChannel) -> None:
    notify(LISTENING)
    notify(WAKES)
    signal(channel.organization_id, reach_channel=str(channel.id))
