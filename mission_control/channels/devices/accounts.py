"""Linking an account of a chat: a person makes a one-time code, sends it to the bot, and confirms who sent it."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from mission_control.channels.channel import CHANNELS, Typed
from mission_control.channels.devices.codes import mark_of
from mission_control.channels.devices.commands import Place, add_device
from mission_control.channels.installation import opened
from mission_control.channels.models import Device, ReachChannel, ReachCode
from mission_control.channels.preferences.commands import announce
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, NotFound, TooMany, existing, invalid_field
from mission_control.core.values import Body, FromRow, example
from mission_control.events.commands import command
from mission_control.http.registry import lookup
from mission_control.people.models import User

type LinkCodeState = Literal["waits", "sent", "used", "expired"]

# Without letters that are read as digits or make words with them: 12 of 32 are 60 bits.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LIFE, REMEMBERED = timedelta(minutes=10), timedelta(days=1)
MOST_AN_HOUR = 5


class LinkCodeCreate(Body):
    """The channel whose bot the code will be sent to."""

    model_config = Body.model_config | example(channel_id="0199c1f0-0000-7000-8000-000000000000")

    channel_id: UUID


class LinkCodeRead(FromRow):
    """A code without itself. Once it was `sent`, `label` says by whom: the caller confirms that it was them."""

    id: UUID
    channel_id: UUID
    channel_name: str
    state: LinkCodeState
    label: str
    expires_at: datetime


class LinkCodeCreated(LinkCodeRead):
    """A code just made; `code` is shown here and never again. `line` is what is sent, `link` opens the bot with it."""

    code: str
    line: str
    link: str


NOT_SENT: dict[LinkCodeState, str] = {
    "used": "This account is linked already.",
    "waits": "Nobody sent the code yet. Send it to the bot first.",
    "expired": "This code has expired. Make a new one.",
}


def state_of(code: ReachCode) -> LinkCodeState:
    if code.used_at is not None:
        return "used"
    ends = code.expires_at + (LIFE if code.who else timedelta())
    if ends <= times.clock_now():
        return "expired"
    return "sent" if code.who else "waits"


def read_code(code: ReachCode, channel: ReachChannel) -> LinkCodeRead:
    return LinkCodeRead.of(code, channel_name=channel.name, state=state_of(code), label=code.label)


def created_code(code: ReachCode, channel: ReachChannel, text: str) -> LinkCodeCreated:
    kind = CHANNELS[channel.kind]
    known = read_code(code, channel).model_dump()
    line, link = kind.code_line(text), kind.code_link(channel.settings, text)
    return LinkCodeCreated.model_construct(None, **known, code=text, line=line, link=link)


@lookup
async def own_code(actor: Actor, code_id: UUID) -> ReachCode:
    found = await ReachCode.get_or_none(id=code_id, user_id=actor.user_id) if actor.is_user else None
    if found is None:
        raise NotFound()
    return found


@command("reach.choose")
async def make_code(actor: Actor, channel_id: UUID) -> tuple[ReachCode, ReachChannel, str]:
    """Make a code for a channel of the active organization. The sixth within an hour: TooMany."""
    channel = await ReachChannel.get_or_none(id=channel_id, organization_id=actor.organization_id)
    if channel is None or channel.kind not in CHANNELS:
        raise invalid_field("channel_id", "There is no such channel in this organization")
    if CHANNELS[channel.kind].links != "code":
        raise invalid_field("channel_id", f"{channel.name} reaches teams only, so no account is linked there")
    if channel.state == "off":
        raise Conflict(f"{channel.name} is switched off. An admin can switch it on.")
    now = times.clock_now()
    await User.select_for_update(no_key=True).get(id=actor.user_id)
    await ReachCode.filter(user_id=actor.user_id, expires_at__lt=now - REMEMBERED).delete()
    refuse_more([one.created_at for one in await ReachCode.filter(user_id=actor.user_id)], now)
    text = "MC-" + "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3))
    code = await ReachCode.create(
        user_id=actor.user_id, channel_id=channel.id, hash=mark_of(text), expires_at=now + LIFE
    )
    return code, channel, text


def refuse_more(moments: Iterable[datetime], now: datetime) -> None:
    """Raise TooMany when as many codes as are allowed were made within an hour."""
    recent = sorted(one for one in moments if one > now - timedelta(hours=1))
    if len(recent) >= MOST_AN_HOUR:
        wait = int((recent[0] + timedelta(hours=1) - now).total_seconds()) + 1
        raise TooMany(wait, f"You made {MOST_AN_HOUR} codes within an hour. Wait {wait // 60 + 1} minutes.")


@command("reach.choose")
async def confirm_code(actor: Actor, code: ReachCode, origin: str) -> Device:
    """Link the account that sent the code. Raise Conflict before somebody sent it, and afterwards for the second time.

    After it was sent a person has as long again to confirm it.
    """
    code = await _locked(code)
    state = state_of(code)
    if state != "sent":
        raise Conflict(NOT_SENT[state])
    channel = await ReachChannel.get(id=code.channel_id)
    if channel.organization_id not in actor.memberships:
        raise Conflict(f"You are no longer a member of the organization of {channel.name}.")
    code.used_at = times.clock_now()
    await code.save(update_fields=["used_at"])
    typed = Typed(code.who, opened(code.address), f"{channel.name}, {code.label}")
    return await add_device(actor, Place(channel.kind, typed, channel, origin=origin))


@command("reach.choose")
async def drop_code(actor: Actor, code: ReachCode) -> None:
    """Forget a code, for example because somebody else sent it; it counts for the five an hour all the same."""
    code = await _locked(code)
    if code.used_at is None:
        code.expires_at, code.who, code.address, code.label = code.created_at, "", "", ""
        await code.save(update_fields=["expires_at", "who", "address", "label"])
        announce(actor)


async def _locked(code: ReachCode) -> ReachCode:
    return await existing(ReachCode.select_for_update().get_or_none(id=code.id))
