"""The message about one need: its words as a channel shows them, with the buttons that answer it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.channels.channel import Button, Channel, Message
from mission_control.channels.delivery.digests import deadline_of, party_of
from mission_control.channels.delivery.state import MAIL
from mission_control.channels.models import NO_LONGER, ReachMessage, ReachMessageNeed
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.current_app import settings
from mission_control.needs.kinds import KINDS, Details
from mission_control.needs.lookup import parse_need_id
from mission_control.needs.schemas import Need
from mission_control.needs.wording import is_cut

NAMES = "names"  # the level of a board that keeps no texts of sessions
HIDDEN = "Something waits for you"

# Returns the buttons of a need, and how many of its answers have none.
type ButtonsFor = Callable[[Need], tuple[tuple[Button, ...], int]]


@dataclass(frozen=True, slots=True)
class _Text:
    """The words of a need; `is_whole` where they show all that an answer decides about."""

    title: str
    lines: list[str]
    is_whole: bool
    exact: str = ""


def ended_message(message: ReachMessage, part: ReachMessageNeed) -> Message:
    """Say how a need ended that a message was about."""
    at = f"{times.clock_time(message.ended_at)}: " if message.ended_at is not None else ""
    return Message(message.title or "This no longer waits", (f"{at}{part.ended_how or NO_LONGER}",))


def hidden_message(need: Need) -> Message:
    """Say that something waits, and nothing of what it is."""
    return Message(HIDDEN, url=f"{settings().base_url}{need.url}", board=_board_of(need), is_urgent=True)


async def single_message(need: Need, channel: Channel, actor: Actor, buttons_for: ButtonsFor | None) -> Message:
    """Say what a need asks, with buttons where there may be some and the words show all that an answer decides."""
    text = await (_brief(need) if channel.is_brief else _in_full(need, channel, actor))
    buttons, left = buttons_for(need) if buttons_for is not None and text.is_whole else ((), 0)
    lines = [*text.lines, f"and {left} more {'answer' if left == 1 else 'answers'} when you open it" if left else ""]
    single = replace(hidden_message(need), title=text.title, lines=tuple(filter(None, lines)), buttons=buttons)
    if channel.kind != MAIL:
        return single
    board_id = str(need.board.id) if need.board is not None else ""
    return replace(single, exact=text.exact, facts=tuple(_facts(need)), board_id=board_id)


def _board_of(need: Need) -> str:
    return need.board.name if need.board is not None else ""


async def _brief(need: Need) -> _Text:
    """Say what a lock screen shows: without the words of a board that keeps none."""
    is_bare, brief = await _keeps_names(need), KINDS[need.kind].brief
    bare_title = f"{party_of(need)} {brief}" if brief else HIDDEN
    task = f"#{need.tasks[0].number}{'' if is_bare else f' {need.tasks[0].title}'}" if need.tasks else ""
    return _Text(
        bare_title if is_bare else need.title,
        [
            ", ".join(filter(None, (_board_of(need), task))),
            "High risk." if need.high_risk else "",
            "" if is_bare else _counted_in(need),
            deadline_of(need),
        ],
        is_whole=not (is_bare or need.exact or need.is_to_be_opened),
    )


async def _in_full(need: Need, channel: Channel, actor: Actor) -> _Text:
    exact, reason = need.exact or "", need.reason or ""
    if is_cut(reason):
        reason = (await _details(actor, need)).says.strip() or reason
    is_shown = reason != need.reason or not is_cut(reason)
    who = ", ".join(filter(None, (_board_of(need), party_of(need))))
    lines = [who, _counted_in(need), _to_look_at(need), reason, exact, deadline_of(need)]
    is_whole = is_shown and max(len(reason), len(exact)) <= channel.longest
    return _Text(need.title, [reason] if channel.kind == MAIL else lines, is_whole, exact)


def _counted_in(need: Need) -> str:
    return " · ".join(fact.text for fact in need.facts if fact.is_counted)


def _to_look_at(need: Need) -> str:
    """Name who approved already, who was asked by name, and what else is a reason to look closer."""
    return " · ".join(fact.text for fact in need.facts if not fact.is_counted and (fact.tone or fact.icon == "users"))


async def _details(actor: Actor, need: Need) -> Details:
    """Read all that an agent says, which is decided with what it asks."""
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


def _labelled_facts(need: Need) -> dict[str, list[str]]:
    labelled: dict[str, list[str]] = {}
    for fact in need.facts:
        if fact.icon not in ("bot", "user") or fact.text not in need.title:  # the title says who asks
            labelled.setdefault(LABELS.get(fact.icon, "Also"), []).append(fact.text)
    return labelled


def _facts(need: Need) -> Iterator[tuple[str, str]]:
    """Yield what an answer rests on, in the order of the page: what was counted, who and where, which answers, what
    happens else.
    """
    labelled = _labelled_facts(need)
    if need.high_risk and "Risk" not in labelled:
        yield "Risk", "High: look at all of it"
    for label, texts in labelled.items():
        yield label, ", ".join(texts)
    if need.tasks:
        yield "Task", ", ".join(f"#{task.number} {task.title}" for task in need.tasks)
    yield "Asked", times.absolute(need.since)
    yield "Answers", " · ".join(answer.label for answer in need.answers)
    by = f" By {times.clock_time(need.otherwise.at)}." if need.otherwise.at is not None else ""
    yield "No answer", f"{need.otherwise.text}{by}"


async def _keeps_names(need: Need) -> bool:
    if need.board is None:
        return False
    board = await Board.get_or_none(id=need.board.id)
    return board is None or board.session_detail == NAMES
