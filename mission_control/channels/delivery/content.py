"""What is sent: a message as it is now, written from the database each time, also when it is edited."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.channels.channel import Button, Channel, Message, Style, plain
from mission_control.channels.delivery.digests import deadline_of, party_of, several
from mission_control.channels.delivery.state import MAIL, NOBODY
from mission_control.channels.devices.unsubscribing import stop_path
from mission_control.channels.models import NO_LONGER, Device, ReachMessage, ReachMessageNeed, ReachSettings
from mission_control.channels.providers.chats import one_line
from mission_control.core import times
from mission_control.core.actor import Actor, Membership
from mission_control.core.current_app import secret_key, settings
from mission_control.database.records import find_all
from mission_control.http.authentication import user_actor
from mission_control.needs.kinds import KINDS, Details
from mission_control.needs.lookup import parse_need_id, render_needs
from mission_control.needs.queries import Filter, count, find_keys
from mission_control.needs.schemas import Need, NeedAnswer
from mission_control.needs.wording import is_cut, span
from mission_control.people.models import Organization

LONGEST_LABEL = 1000
NAMES = "names"  # the level of a board that keeps no texts of sessions
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
    origin = "" if device is None or settings().base_url else device.origin
    if message.why == "test":
        return Written(_completed(_test(message, device), origin), [])
    waiting = await _waiting(actor, [one for one in parts if not one.ended_how])
    found = [(part, waiting.get(f"{part.kind}:{part.subject_id}")) for part in parts]
    chosen = await ReachSettings.get_or_none(user_id=message.user_id) if message.user_id is not None else None
    shows = channel.kind == MAIL or not channel.is_brief or chosen is None or chosen.shows == "title"
    alone = found[0] if len(found) == 1 and message.why != "digest" else None
    if alone is not None:
        made = await _one(message, channel, actor, alone, shows=shows, takes=takes, device=device)
    else:
        made = await several(message, channel, actor, found, shows=shows)
    if channel.kind == MAIL and not made.board:
        made = replace(made, board=(await Organization.get(id=message.organization_id)).name)
    badge = (await count(actor)).counts.total if message.user_id is not None and channel.kind == "push" else None
    base = settings().base_url
    made = replace(
        made,
        url=f"{base}/reach/{message.id}" if message.user_id is not None else made.url,
        key=str(message.id),
        topic=message.topic,
        is_first=message.is_first,
        why=_why(message, chosen),
        stop_url=f"{base}{stop_path(message.user_id)}" if message.user_id is not None and channel.kind == MAIL else "",
        expires_at=message.expires_at,
        badge=badge,
        has_ended=not any(need is not None for _, need in found),
        title=plain(made.title),
        lines=tuple(plain(line) for line in made.lines),
    )
    return Written(_completed(made, origin), found, takes_words(message, channel))


def ended(message: ReachMessage) -> Written:
    """Return a message as it is shown to somebody who is no longer a member: without its buttons."""
    how = message.ended_how or NO_LONGER
    key, topic = str(message.id), message.topic
    return Written(Message(message.title, (plain(how),), key=key, topic=topic, is_first=False, has_ended=True), [])


def _completed(made: Message, origin: str) -> Message:
    """Return a message whose addresses are whole, where BASE_URL says none: at our address when its device was made."""

    def whole(url: str) -> str:
        return f"{origin}{url}" if url.startswith("/") else url

    sections = tuple((one, tuple(replace(item, url=whole(item.url)) for item in items)) for one, items in made.sections)
    return replace(made, url=whole(made.url), sections=sections) if origin else made


async def _waiting(actor: Actor, parts: Sequence[ReachMessageNeed]) -> Mapping[str, Need]:
    """Return what of a message waits for its reader now, in words, by its names."""
    if not parts:
        return {}
    wanted = Filter(kinds=tuple({one.kind for one in parts}), ids=tuple(one.subject_id for one in parts), include="all")
    most = len(parts) * len(KINDS)  # a task may wait for several reasons, of which the message tells one
    keys = [key for key in await find_keys(actor, wanted, most) if not key.is_snoozed]
    return {need.id: need for need in await render_needs(actor, keys)}


async def _one(
    message: ReachMessage,
    channel: Channel,
    actor: Actor,
    found: tuple[ReachMessageNeed, Need | None],
    *,
    shows: bool,
    takes: bool,
    device: Device | None,
) -> Message:
    part, need = found
    if need is None:
        how = part.ended_how or NO_LONGER
        at = f"{times.clock_time(message.ended_at)}: " if message.ended_at is not None else ""
        return Message(message.title or "This no longer waits", (f"{at}{how}",))
    board = need.board.name if need.board is not None else ""
    url = f"{settings().base_url}{need.url}"
    if not shows:
        return Message("Something waits for you", url=url, board=board, is_urgent=True)
    is_bare = channel.is_brief and await _keeps_names(need)
    title = f"{party_of(need)} {KINDS[need.kind].brief}" if is_bare and KINDS[need.kind].brief else need.title
    if is_bare and not KINDS[need.kind].brief:
        title = "Something waits for you"
    deadline, exact = deadline_of(need), ""
    if channel.is_brief:
        task = "" if not need.tasks else f"#{need.tasks[0].number}" + ("" if is_bare else f" {need.tasks[0].title}")
        risk = "High risk." if need.high_risk else ""
        facts = "" if is_bare else counted_in(need)
        lines = [", ".join(filter(None, (board, task))), risk, facts, deadline]
        is_whole = not (is_bare or need.exact or need.is_to_be_opened)
    else:
        exact, reason = need.exact or "", need.reason or ""
        if is_cut(reason):
            reason = (await _details(actor, need)).says.strip() or reason
        who = ", ".join(filter(None, (board, party_of(need))))
        lines = [who, counted_in(need), _to_look_at(need), reason, exact, deadline]
        lines = [reason] if channel.kind == MAIL else lines
        is_shown = reason != need.reason or not is_cut(reason)
        is_whole = is_shown and max(len(reason), len(exact)) <= channel.longest
    buttons: tuple[Button, ...] = ()
    offered = answers_of(need, with_words=takes_words(message, channel))
    if takes and is_whole and not need.high_risk and all(_fits(one, channel) for one in offered):
        is_by_chat = device is not None and device.channel_id is not None
        able = [one for one in enumerate(offered) if not (is_by_chat and _is_vote(need, one[1]))]
        chosen = able[: channel.most_buttons]
        buttons = tuple(
            Button(_label(one), token_of(message, device, part, index, one.id, need.substance), _style(one))
            for index, one in chosen
        )
        if left := len(offered) - len(chosen):
            lines.append(f"and {left} more {'answer' if left == 1 else 'answers'} when you open it")
    made = Message(title, tuple(one for one in lines if one), url=url, buttons=buttons, board=board, is_urgent=True)
    if channel.kind != MAIL:
        return made
    board_id = str(need.board.id) if need.board is not None else ""
    return replace(made, exact=exact, facts=tuple(_facts(need)), board_id=board_id)


def counted_in(need: Need) -> str:
    return " · ".join(one.text for one in need.facts if one.is_counted)


def _to_look_at(need: Need) -> str:
    """Return who approved already, who was asked by name, and what else is a reason to look closer."""
    return " · ".join(one.text for one in need.facts if not one.is_counted and (one.tone or one.icon == "users"))


async def _details(actor: Actor, need: Need) -> Details:
    """Return all that an agent says, which is decided with what it asks."""
    if need.board is None:
        return Details()
    board = await visible_board(actor, need.board.id)
    return await KINDS[need.kind].details(actor, board, parse_need_id(need.id)[1]) or Details()


# What a fact is called, by its icon.
LABELS = {
    "triangle-alert": "Look at", "hourglass": "Look at", "shield-check": "Risk", "file-diff": "Change",
    "circle-check": "Check", "circle-x": "Check", "circle-dashed": "Check", "list-checks": "Criteria",
    "git-branch": "Code", "external-link": "Result", "bot": "Agent", "user": "Person", "laptop": "Where",
    "folder": "Where",
}  # fmt: skip


def _facts(need: Need) -> Iterator[tuple[str, str]]:
    """Yield what an answer rests on, in the order of the page: what was counted, who and where, which answers, what
    happens else.
    """
    found: dict[str, list[str]] = {}
    for one in need.facts:
        if one.icon not in ("bot", "user") or one.text not in need.title:  # the title says who asks
            found.setdefault(LABELS.get(one.icon, "Also"), []).append(one.text)
    if need.high_risk and "Risk" not in found:
        yield "Risk", "High: look at all of it"
    for label, texts in found.items():
        yield label, ", ".join(texts)
    if need.tasks:
        yield "Task", ", ".join(f"#{one.number} {one.title}" for one in need.tasks)
    yield "Asked", times.absolute(need.since)
    yield "Answers", " · ".join(one.label for one in need.answers)
    by = f" By {times.clock_time(need.otherwise.at)}." if need.otherwise.at is not None else ""
    yield "No answer", f"{need.otherwise.text}{by}"


def answers_of(need: Need, *, with_words: bool) -> list[NeedAnswer]:
    """Return the answers that a button can give; one that needs words only where they can be written there."""
    return [
        one
        for one in need.answers
        if one.operation is not None and one.copy_text is None and (with_words or one.note != "required")
    ]


def _is_vote(need: Need, answer: NeedAnswer) -> bool:
    """Whether an answer is the approval of one of several people, which no chat can give for them."""
    body = answer.operation.body if answer.operation is not None else None
    return any(one.icon == "users" for one in need.facts) and (body or {}).get("decision") == "approved"


def takes_words(message: ReachMessage, channel: Channel) -> bool:
    """Whether a person can write to us there in private: where accounts are linked by a code that is sent so."""
    return message.user_id is not None and channel.links == "code"


def _label(answer: NeedAnswer) -> str:
    return f"{answer.label} …" if answer.note == "required" else answer.label


def _fits(answer: NeedAnswer, channel: Channel) -> bool:
    """Return whether a button shows all of an answer: nobody gives the half of one."""
    return one_line(_label(answer), channel.longest_label) == one_line(_label(answer), LONGEST_LABEL)


def _style(answer: NeedAnswer) -> Style:
    """Return how a button looks: it is stressed where nothing speaks against the answer."""
    return "go" if answer.recommended else "stop" if answer.course == "stop" else ""


def token_of(
    message: ReachMessage, device: Device | None, part: ReachMessageNeed, index: int, answer: str, substance: str
) -> str:
    """Return what a button carries: message, number of the answer, and a code over both and all that it is bound to.

    45 characters at most; the code has 120 bits of HMAC-SHA256.
    """
    place = f"{_short(message.id)}.{index}"
    bound = (place, part.kind, str(part.subject_id), answer, substance, str(message.user_id), str(device and device.id))
    key = hmac.digest(secret_key().encode(), b"mission-control reach answers", sha256)
    code = hmac.digest(key, "\0".join(bound).encode(), sha256)[:15]
    return f"{place}.{urlsafe_b64encode(code).decode()}"


def _short(id: UUID) -> str:
    return urlsafe_b64encode(id.bytes).decode().rstrip("=")


async def _keeps_names(need: Need) -> bool:
    if need.board is None:
        return False
    board = await Board.get_or_none(id=need.board.id)
    return board is None or board.session_detail == NAMES


def fingerprint_of(message: Message) -> str:
    """Return a mark of what a message shows, by which an edit is left out that would change nothing."""
    shown = (message.title, message.lines, message.sections, tuple((one.label, one.token) for one in message.buttons))
    return sha256(repr(shown).encode()).hexdigest()[:24]


def is_over(message: ReachMessage, now: datetime) -> bool:
    return message.expires_at is not None and message.expires_at <= now
