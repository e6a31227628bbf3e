"""One-time codes that link an account of a chat to a person: shown in the settings, sent to the bot in private."""

import re

from mission_control.channels.channel import Said
from mission_control.channels.installation import sealed
from mission_control.channels.models import ReachChannel, ReachCode
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.errors import TooMany
from mission_control.core.limits import FailureLimit
from mission_control.core.values import fingerprint
from mission_control.database.records import find, update
from mission_control.events.commands import command
from mission_control.events.unit_of_work import signal

UNKNOWN = "This code is unknown or no longer valid. Make a new one in Mission Control, under Notifications."
NO_CODE = (
    "Nothing waits for words from you here. To answer in words, press the button that asks for them first. To link your"
    " account, send a code that you make in Mission Control, under Settings and Notifications."
)
TAKEN = "Almost done: go back to Mission Control and confirm that this is you."
TOO_MANY = "That is too often. Try again in a minute."
LONGEST_NAME = 200
CODE = re.compile(r"(/start )?MC[- ]?([A-Z0-9]{4}[- ]?){3}", re.IGNORECASE)

# Tries of one account of a chat in a minute.
_tries = FailureLimit(5, 60.0)


def admits(limit: FailureLimit, key: str) -> bool:
    try:
        limit.check(key)
    except TooMany:
        return False
    limit.failed(key)
    return True


def is_code(text: str) -> bool:
    """Whether a text looks like a code, and not like words."""
    return CODE.fullmatch(text.strip()) is not None


def mark_of(code: str) -> str:
    """Return what is stored of a code: its letters and digits count, however it is written."""
    return fingerprint("".join(one for one in code.upper() if one.isalnum()))


async def take_code(channel: ReachChannel, said: Said) -> str:
    """Remember who sent a code to the bot, and return what the bot says to them; to what is no code, what it takes."""
    has_code = "MC" in said.text.upper() and len(said.text) <= LONGEST_NAME
    if not admits(_tries, f"{channel.id} {said.who}"):
        return TOO_MANY if has_code else ""
    return await _take(system(channel.organization_id), channel, said) if has_code else NO_CODE


@command("reach.keep")
async def _take(actor: Actor, channel: ReachChannel, said: Said) -> str:
    code = await find(
        ReachCode,
        "hash = ? AND channel_id = ? AND used_at IS NULL AND expires_at > ?",
        mark_of(said.text),
        channel.id,
        times.clock_now(),
        lock=True,
    )
    if code is None or (code.who and code.who != said.who):
        return UNKNOWN
    code.who, code.address, code.label = said.who, sealed(said.to or said.who), said.name[:LONGEST_NAME]
    await update(code, "who", "address", "label")
    signal(channel.organization_id, reach_of=str(code.user_id))
    return TAKEN
