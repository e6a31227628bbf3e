"""The buttons of a message about a need: which answers it offers, and the token that each carries."""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from uuid import UUID

from mission_control.channels.channel import Button, Channel, Style
from mission_control.channels.models import Device, ReachMessage, ReachMessageNeed
from mission_control.channels.providers.chats import one_line
from mission_control.core.current_app import secret_key
from mission_control.needs.schemas import Need, NeedAnswer

LONGEST_LABEL = 1000


def buttons_of(
    message: ReachMessage, device: Device | None, channel: Channel, part: ReachMessageNeed, need: Need
) -> tuple[tuple[Button, ...], int]:
    """Count the answers without a button, too. There are none where a button would not show all of its answer."""
    offered = answers_of(need, with_words=takes_words(message, channel))
    if need.high_risk or not all(_fits(answer, channel) for answer in offered):
        return (), 0
    is_by_chat = device is not None and device.channel_id is not None
    able = [(index, answer) for index, answer in enumerate(offered) if not (is_by_chat and _is_vote(need, answer))]
    buttons = tuple(
        Button(_label(answer), token_of(message, device, part, index, answer.id, need.substance), _style(answer))
        for index, answer in able[: channel.most_buttons]
    )
    return buttons, len(offered) - len(buttons)


def answers_of(need: Need, *, with_words: bool) -> list[NeedAnswer]:
    """List the answers that a button can give; one that needs words only where they can be written there."""
    return [
        answer
        for answer in need.answers
        if answer.operation is not None and answer.copy_text is None and (with_words or answer.note != "required")
    ]


def _is_vote(need: Need, answer: NeedAnswer) -> bool:
    """Whether an answer is the approval of one of several people, which no chat can give for them."""
    body = answer.operation.body if answer.operation is not None else None
    return any(fact.icon == "users" for fact in need.facts) and (body or {}).get("decision") == "approved"


def takes_words(message: ReachMessage, channel: Channel) -> bool:
    """Whether a person can write to us there in private: where accounts are linked by a code that is sent so."""
    return message.user_id is not None and channel.links == "code"


def _label(answer: NeedAnswer) -> str:
    return f"{answer.label} …" if answer.note == "required" else answer.label


def _fits(answer: NeedAnswer, channel: Channel) -> bool:
    """Whether a button shows all of an answer: nobody gives the half of one."""
    return one_line(_label(answer), channel.longest_label) == one_line(_label(answer), LONGEST_LABEL)


def _style(answer: NeedAnswer) -> Style:
    """A button is stressed where nothing speaks against its answer."""
    return "go" if answer.recommended else "stop" if answer.course == "stop" else ""


def token_of(
    message: ReachMessage, device: Device | None, part: ReachMessageNeed, index: int, answer: str, substance: str
) -> str:
    """Make what a button carries: message, number of the answer, and a code over both and all that it is bound to.

    45 characters at most; the code has 120 bits of HMAC-SHA256.
    """
    place = f"{_short(message.id)}.{index}"
    bound = (place, part.kind, str(part.subject_id), answer, substance, str(message.user_id), str(device and device.id))
    key = hmac.digest(secret_key().encode(), b"mission-control reach answers", sha256)
    code = hmac.digest(key, "\0".join(bound).encode(), sha256)[:15]
    return f"{place}.{urlsafe_b64encode(code).decode()}"


def _short(id: UUID) -> str:
    return urlsafe_b64encode(id.bytes).decode().rstrip("=")
