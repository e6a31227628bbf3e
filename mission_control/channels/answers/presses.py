"""Answers from outside: a button's token becomes the same operation as on Home, as that person, with their rights."""

import hmac
import re
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from pydantic import Field

from mission_control.channels.addresses import device_of
from mission_control.channels.channel import Said
from mission_control.channels.delivery.buttons import token_of
from mission_control.channels.delivery.content import is_over
from mission_control.channels.devices.codes import TOO_MANY, admits
from mission_control.channels.messages.rows import OPEN, edit_messages
from mission_control.channels.models import Device, ReachChannel, ReachMessage, ReachMessageNeed
from mission_control.channels.preferences.commands import WAKES
from mission_control.core import times
from mission_control.core.actor import Actor, rule
from mission_control.core.errors import DomainError, ErrorCode, Forbidden, NotFound
from mission_control.core.limits import FailureLimit
from mission_control.core.values import Body, Schema, example
from mission_control.database.records import find, find_all, update
from mission_control.events.commands import command
from mission_control.events.unit_of_work import notify, signal
from mission_control.http.authentication import user_actor
from mission_control.http.lookups import Credential
from mission_control.http.operation_api import Api
from mission_control.needs.answers import NoteMissing, answer_one
from mission_control.needs.lookup import asked_need
from mission_control.needs.schemas import NeedAnswer, NeedAnswerGiven, NeedResult
from mission_control.needs.wording import others_missing

TOKEN = re.compile(r"([A-Za-z0-9_-]{22})\.([0-9]{1,2})\.([A-Za-z0-9_-]{20})")
NOT_VALID = "This button is no longer valid: what it answers may have changed. Look again in Mission Control."
WRITE = "Write your words here: the next message that you send within 15 minutes goes along with this answer."
WORDS_WITHIN = timedelta(minutes=15)
LONGEST_WORDS = 4000
TOO_LONG = (
    f"That is too long: {LONGEST_WORDS:,} characters go along with an answer. Nothing was done; write it shorter."
)
NOT_LINKED = "Link your account in Mission Control, under Settings and Notifications, to answer here."
OVER = "The time to answer here is over. Open Mission Control."
REFUSED: dict[type[DomainError], str] = {
    NotFound: "You may not answer this.",
    Forbidden: "You are not allowed to answer this.",
}
NOT_YOURS = "This was sent to somebody else; it is not yours to answer."


@dataclass(frozen=True, slots=True)
class Pressed:
    """What became of a press: the words for the person, and whether the answer was given."""

    words: str
    is_given: bool = False


@dataclass(frozen=True, slots=True)
class _Button:
    message: ReachMessage
    device: Device | None
    part: ReachMessageNeed
    answer: str


async def _button_of(token: str, kind: str) -> _Button | None:
    """Return what a token of a kind of channel names, None when it is none of ours, or its device has ended."""
    match = TOKEN.fullmatch(token)
    if match is None:
        return None
    try:
        message_id = UUID(bytes=urlsafe_b64decode(f"{match[1]}=="))
    except (ValueError, NotBase64):
        return None
    message = await find(ReachMessage, "id = ? AND kind = ?", message_id, kind)
    parts = await find_all(ReachMessageNeed, "message_id = ? ORDER BY position", message_id) if message else []
    if message is None or len(parts) != 1:
        return None
    device, index = await device_of(message, ended=True), int(match[2])
    if index >= len(parts[0].answers) or (device is not None and device.ended_at is not None):
        return None
    answer = parts[0].answers[index]
    if hmac.compare_digest(token, token_of(message, device, parts[0], index, answer, parts[0].substance)):
        return _Button(message, device, parts[0], answer)
    return None


async def press(
    token: str,
    *,
    kind: str,
    who: str = "",
    channel_id: UUID | None = None,
    by: Actor | None = None,
    counts: str = "",
    is_vouched: bool = True,
) -> Pressed:
    """Give the answer of a button, and return the words for who pressed it. Nothing is raised.

    The provider vouches for `who` pressed it, or `by` is signed in. It counts against them, or against
    `counts`; where the token alone says that it comes from the provider, against nobody before that is proven.
    """
    counts = counts or f"{channel_id} {who}"
    if is_vouched and not admits(_presses, counts):
        return Pressed(TOO_MANY)
    button = await _button_of(token, kind)
    if button is None:
        return Pressed(NOT_VALID)  # an old token of a message that was edited since, or somebody's invention
    if not is_vouched and not admits(_presses, counts):
        return Pressed(TOO_MANY)
    actor, refusal = await _presser(button, who, channel_id, by)
    if actor is None:
        return Pressed(refusal)
    return await _answer(actor, button, refusal, takes_words=button.message.user_id is not None and bool(who))


async def _linked_person(channel_id: UUID | None, who: str) -> UUID | None:
    condition = "channel_id = ? AND who = ? AND user_id IS NOT NULL AND ended_at IS NULL"
    device = await find(Device, condition, channel_id, who)
    return None if device is None else device.user_id


async def _presser(button: _Button, who: str, channel_id: UUID | None, by: Actor | None) -> tuple[Actor | None, str]:
    """Return who pressed a button, None where this is nobody who may, and the words that refuse it."""
    device, user_id, refusal = button.device, button.message.user_id, NOT_YOURS
    if by is not None:
        return (by if by.user_id == user_id else None), refusal
    if device is None or device.channel_id != channel_id:
        return None, NOT_VALID
    if None not in (user_id, channel_id) and device.who != who:
        return None, refusal
    if user_id is None:  # to a team: anybody with a linked account in the channel
        user_id, refusal = await _linked_person(channel_id, who), NOT_LINKED
    credential: Credential = ("none", None) if channel_id is None else ("channel", channel_id)
    return (await user_actor(user_id, credential) if user_id is not None else None), refusal


async def take_words(channel: ReachChannel, written: Said) -> str | None:
    """Give the answer for which words were awaited, and return what the bot says to it; None when none were."""
    message = await find(
        ReachMessage,
        "awaits IS NOT NULL AND awaits_until > ? AND device_id IN (SELECT d.id FROM reach_devices d WHERE"
        " d.channel_id = ? AND d.who = ? AND d.user_id IS NOT NULL AND d.ended_at IS NULL)",
        times.clock_now(),
        channel.id,
        written.who,
    )
    if message is None or message.awaits is None or message.user_id is None or message.organization_id is None:
        return None
    actor = await user_actor(message.user_id, ("channel", channel.id))
    parts = await find_all(ReachMessageNeed, "message_id = ?", message.id)
    if actor is None or len(parts) != 1:
        return NOT_YOURS
    button = _Button(message, None, parts[0], message.awaits)
    done = await _answer(actor, button, NOT_YOURS, written.text.strip() or None)
    if done.is_given:
        await ReachMessage.filter(id=message.id).update(awaits=None, awaits_until=None)
    return done.words


async def _answer(
    actor: Actor, button: _Button, refusal: str, note: str | None = None, *, takes_words: bool = False
) -> Pressed:
    """Give an answer as a person; with `takes_words`, one that requires a note awaits it as the next message there."""
    message, part = button.message, button.part
    if message.organization_id is None or message.organization_id not in actor.memberships:
        return Pressed(refusal)
    if closed := _why_closed(message, note):
        return Pressed(closed)
    actor = replace(actor, organization_id=message.organization_id, surface=message.kind)
    given = NeedAnswerGiven(answer=button.answer, note=note, substance=part.substance or None)
    try:
        need = await asked_need(actor, f"{part.kind}:{part.subject_id}")
        result, answer = await answer_one(actor, need, given)
    except DomainError as error:
        if takes_words and isinstance(error, NoteMissing):
            await await_words(actor, message, button.answer)
            return Pressed(WRITE)
        if error.code == ErrorCode.NEED_CHANGED:
            await _show_again(actor, message)
        return Pressed(REFUSED.get(type(error), error.sentence))
    await _answered(actor, message, others_are_missing=bool(result.missing))
    return Pressed(_done(answer, result), is_given=True)


def _done(answer: NeedAnswer, result: NeedResult) -> str:
    title = (result.title or "").removeprefix("Approve: ")
    others = f" {others_missing(result.missing)}" if result.missing else ""
    return f"Done: {', '.join(filter(None, (answer.label, title)))}.{others}"


def _why_closed(message: ReachMessage, note: str | None) -> str | None:
    if message.state not in OPEN:
        return message.ended_how or "This no longer waits for an answer."
    if is_over(message, times.clock_now()):
        return OVER
    return TOO_LONG if note is not None and len(note) > LONGEST_WORDS else None


@command("reach.answer")
async def await_words(actor: Actor, message: ReachMessage, answer: str) -> None:
    """Take what the person writes there next as the words for an answer; it replaces one that was awaited before."""
    await ReachMessage.filter(device_id=message.device_id).exclude(awaits=None).update(awaits=None, awaits_until=None)
    message.awaits, message.awaits_until = answer, times.clock_now() + WORDS_WITHIN
    await update(message, "awaits", "awaits_until")


@command("reach.answer")
async def _answered(actor: Actor, message: ReachMessage, *, others_are_missing: bool) -> None:
    """Record that a need was answered here; the loop ends what else was sent about it.

    One to a team stays open as long as answers of others are missing: they press there, too.
    """
    if message.user_id == actor.user_id or (message.user_id is None and not others_are_missing):
        message.state, message.ended_at = "answered", times.clock_now()
        await update(message, "state", "ended_at")
    notify(WAKES)
    if actor.user_id is not None and message.organization_id is not None:
        signal(message.organization_id, reach_of=str(actor.user_id))


@command("reach.answer")
async def _show_again(actor: Actor, message: ReachMessage) -> None:
    """Let a message show what is decided now, with new buttons."""
    await edit_messages([message])
    notify(WAKES)


@rule("reach.answer")
def may_answer(actor: Actor, thing: object) -> bool:
    """People; the operation of the answer asks its own rule."""
    return actor.is_user


class ReachAnswer(Body):
    """The token of a button that was pressed."""

    model_config = Body.model_config | example(token="AZrA5g5sfVqGvL3sQpW9Kg.0.2c4c1bYb2kPpRrN0sT9v")

    token: str = Field(max_length=64, description="What the button carried")


class ReachAnswered(Schema):
    """What became of an answer from outside."""

    is_given: bool = Field(description="Whether the answer counts")
    message: str = Field(description="In words: what was done, or why not")


api = Api(__name__, "needs", below="/reach")
PRESSES = 60  # of an account in a minute
_presses = FailureLimit(PRESSES, 60.0)


@api.post("/answers", rule="reach.answer", is_atomic=False)
async def answer_message(actor: Actor, data: ReachAnswer) -> ReachAnswered:
    """Give the answer of a button of a notification, as the person who is signed in.

    It counts only for what was shown: when that has changed since, nothing is answered, and `message` says so.
    """
    given = await press(data.token, kind="push", by=actor, counts=str(actor.user_id))
    return ReachAnswered(is_given=given.is_given, message=given.words)
