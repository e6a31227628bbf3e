"""What is sent: a message as it is now, written from the database each time, also when it is edited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256

from mission_control.channels.channel import Channel, Message, plain
from mission_control.channels.delivery.buttons import buttons_of, takes_words
from mission_control.channels.delivery.digests import several
from mission_control.channels.delivery.single import ended_message, hidden_message, single_message
from mission_control.channels.delivery.state import MAIL, NOBODY
from mission_control.channels.devices.unsubscribing import stop_path
from mission_control.channels.models import NO_LONGER, Device, ReachMessage, ReachMessageNeed, ReachSettings
from mission_control.core import times
from mission_control.core.actor import Actor, Membership
from mission_control.core.current_app import settings
from mission_control.database.records import find_all
from mission_control.http.authentication import user_actor
from mission_control.needs.kinds import KINDS
from mission_control.needs.lookup import render_needs
from mission_control.needs.queries import Filter, count, find_keys
from mission_control.needs.schemas import Need
from mission_control.needs.wording import span
from mission_control.people.models import Organization

WHY = {
    "first": "Sent because you may answer it.",
    "unseen": "Sent because you had not seen it for {time}.",
    "last call": "Sent because it ends soon.",
    "digest": "Sent when your quiet hours or your absence end, and only when there is something.",
    "team": "Sent to the team of the board.",
    "test": "Sent because somebody pressed Test.",
}
FIRST_BY_MAIL = "Sent because it has waited for {time} and no device of yours takes messages."


def _why(message: ReachMessage, chosen: ReachSettings | None) -> str:
    one = chosen or ReachSettings()
    is_late = message.kind == MAIL and message.why == "first" and one.mode == "devices"
    return (FIRST_BY_MAIL if is_late else WHY[message.why]).format(time=span(60 * one.next_after))


def _test(message: ReachMessage, device: Device | None) -> Message:
    title, words, page = "Mission Control reaches you here", "What needs you is sent here", "/settings/notifications"
    if device is not None and device.board_id is not None:
        title, words = "Mission Control reaches this team here", "What waits on the board is posted here"
        page = f"/boards/{device.board_id}/team"
    return Message(
        title,
        (f"{'Somebody' if message.user_id is None else 'You'} pressed Test. {words} from now on.",),
        url=f"{settings().base_url}{page}",
        key=str(message.id),
        topic=message.topic,
        why=_why(message, None),
    )


@dataclass(slots=True)
class Written:
    """A message ready to be sent, its needs as they are now, and for whom it was written: None when nobody reads it."""

    message: Message
    needs: list[tuple[ReachMessageNeed, Need | None]]
    with_words: bool = False

    @property
    def has_open(self) -> bool:
        return any(need is not None for _, need in self.needs)


async def reader_of(message: ReachMessage, device: Device | None) -> Actor | None:
    """Return the person for whom a message is written with the rights of this moment; for a team somebody who acts on
    its board and nowhere else. None when that person, or the membership, is gone.
    """
    organization_id = message.organization_id
    if organization_id is None:
        return None
    if message.user_id is not None:
        actor = await user_actor(message.user_id, ("none", None))
        if actor is None or organization_id not in actor.memberships:
            return None
        return replace(actor, organization_id=organization_id, surface=message.kind)
    if device is None or device.board_id is None:
        return None
    board = Membership(NOBODY, organization_id, "", "member", False, False, {device.board_id: (True, True)})
    return Actor("user", NOBODY, "The team", organization_id, message.kind, {organization_id: board})


async def written(
    message: ReachMessage, device: Device | None, channel: Channel, actor: Actor, *, takes: bool
) -> Written:
    """Return a message as it is now; `takes`: answers may be given by its buttons."""
    times.read_by(actor)
    parts = await find_all(ReachMessageNeed, "message_id = ? ORDER BY position", message.id)
    if message.why == "test":
        return Written(_completed(_test(message, device), device), [])
    waiting = await _waiting(actor, [part for part in parts if not part.ended_how])
    needs = [(part, waiting.get(f"{part.kind}:{part.subject_id}")) for part in parts]
    chosen = await ReachSettings.get_or_none(user_id=message.user_id) if message.user_id is not None else None
    shows = channel.kind == MAIL or not channel.is_brief or chosen is None or chosen.shows == "title"
    part, need = needs[0] if len(needs) == 1 and message.why != "digest" else (None, None)
    if part is None:
        made = await several(message, channel, actor, needs, shows=shows)
    elif need is None:
        made = ended_message(message, part)
    elif not shows:
        made = hidden_message(need)
    else:
        buttons_for = partial(buttons_of, message, device, channel, part) if takes else None
        made = await single_message(need, channel, actor, buttons_for)
    made = await _addressed(made, message, channel, _why(message, chosen))
    made = replace(made, has_ended=not any(need is not None for _, need in needs))
    if message.user_id is not None and channel.kind == "push":
        made = replace(made, badge=(await count(actor)).counts.total)
    return Written(_completed(made, device), needs, takes_words(message, channel))


async def _addressed(made: Message, message: ReachMessage, channel: Channel, why: str) -> Message:
    """Return a text with what each message has: its board, where it leads, its topic, and why it came."""
    if channel.kind == MAIL and not made.board:
        made = replace(made, board=(await Organization.get(id=message.organization_id)).name)
    if message.user_id is not None:
        made = replace(made, url=f"{settings().base_url}/reach/{message.id}")
        if channel.kind == MAIL:
            made = replace(made, stop_url=f"{settings().base_url}{stop_path(message.user_id)}")
    return replace(
        made,
        key=str(message.id),
        topic=message.topic,
        is_first=message.is_first,
        why=why,
        expires_at=message.expires_at,
        title=plain(made.title),
        lines=tuple(plain(line) for line in made.lines),
    )


def ended(message: ReachMessage) -> Written:
    """Return a message as it is shown to somebody who is no longer a member: without its buttons."""
    how = message.ended_how or NO_LONGER
    key, topic = str(message.id), message.topic
    return Written(Message(message.title, (plain(how),), key=key, topic=topic, is_first=False, has_ended=True), [])


def _completed(made: Message, device: Device | None) -> Message:
    """Return a message whose addresses are whole, where BASE_URL says none: at our address when its device was made."""
    origin = "" if device is None or settings().base_url else device.origin

    def whole(url: str) -> str:
        return f"{origin}{url}" if url.startswith("/") else url

    sections = tuple((one, tuple(replace(item, url=whole(item.url)) for item in items)) for one, items in made.sections)
    return replace(made, url=whole(made.url), sections=sections) if origin else made


async def _waiting(actor: Actor, parts: Sequence[ReachMessageNeed]) -> Mapping[str, Need]:
    """Return what of a message waits for its reader now, in words, by its names."""
    if not parts:
        return {}
    wanted = Filter(
        kinds=tuple({part.kind for part in parts}), ids=tuple(part.subject_id for part in parts), include="all"
    )
    most = len(parts) * len(KINDS)  # a task may wait for several reasons, of which the message tells one
    keys = [key for key in await find_keys(actor, wanted, most) if not key.is_snoozed]
    return {need.id: need for need in await render_needs(actor, keys)}


def fingerprint_of(message: Message) -> str:
    """Return a mark of what a message shows, by which an edit is left out that would change nothing."""
    buttons = tuple((button.label, button.token) for button in message.buttons)
    shown = message.title, message.lines, message.sections, buttons
    return sha256(repr(shown).encode()).hexdigest()[:24]


def is_over(message: ReachMessage, now: datetime) -> bool:
    return message.expires_at is not None and message.expires_at <= now
