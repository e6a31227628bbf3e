"""Say needs: their parts from a few words, so that every kind is built alike."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from mission_control.core import times
from mission_control.core.times import DAY, HOUR, MINUTE
from mission_control.http.registry import operation_named
from mission_control.needs import schemas
from mission_control.needs.kinds import KINDS, Key, Page

LONGEST_REASON = 600

type Ids = Mapping[str, UUID | str]
type Note = tuple[str, str, bool]  # the field of the body that takes it, its label, whether it must be given

WORDS: Note = ("answer", "Your answer", True)
MORE: Note = ("answer", "Anything to add?", False)


def _operation(name: str, ids: Ids, body: Mapping[str, object] | None, note: Note | None) -> schemas.NeedOperation:
    entry = operation_named(name)
    path = re.sub(r"<(?:string:)?(\w+)>", lambda part: str(ids[part[1]]), entry.path)
    return schemas.NeedOperation(
        operation_id=entry.operation_id,
        method=entry.method,
        path=path,
        path_parameters=dict(ids),
        body=dict(body) if body is not None else None,
        note_field=note[0] if note else None,
    )


def answer(
    id: str,
    key: str | None,
    label: str,
    effect: str,
    performs: str | None,
    ids: Ids | None = None,
    body: Mapping[str, object] | None = None,
    *,
    note: Note | None = None,
    note_operation: str | None = None,
    course: schemas.Course = "go",
    recommended: bool = False,
    undoable: bool = False,
    in_bulk: bool = False,
    copy_text: str | None = None,
) -> schemas.NeedAnswer:
    """Return one answer, which performs an operation; `note_operation` takes the note instead of that."""
    own_note, ids = note if note_operation is None else None, ids or {}
    return schemas.NeedAnswer(
        id=id,
        key=key,
        label=label,
        effect=effect,
        course=course,
        recommended=recommended,
        note="none" if note is None else "required" if note[2] else "optional",
        note_label=note[1] if note else "",
        undoable=undoable,
        in_bulk=in_bulk,
        copy_text=copy_text,
        operation=_operation(performs, ids, body, own_note) if performs is not None else None,
        note_operation=_operation(note_operation, ids, {}, note) if note_operation is not None else None,
    )


class Question(Protocol):
    """A question of an agent, with the options as they are stored."""

    agent_name: str
    options: list[Any]
    allows_text: bool


def choices(performs: str, ids: Ids, question: Question, reads_words: str) -> list[schemas.NeedAnswer]:
    """Return the options of a question by number, and an answer in one's own words where that is allowed."""
    goes_on = f"{question.agent_name} goes on with this."
    answers = [
        answer(
            f"option:{one['id']}",
            str(number),
            one["label"],
            one.get("outcome") or goes_on,
            performs,
            ids,
            {"option_id": one["id"]},
            note=MORE if question.allows_text else None,
            recommended=bool(one.get("recommended")),
        )
        for number, one in enumerate(question.options, start=1)
    ]
    if question.allows_text:
        label = "Answer in your own words" if answers else "Answer"
        answers.append(answer("words", "A", label, reads_words, performs, ids, {}, note=WORDS))
    return answers


def fact(icon: str, text: str, tone: str = "", url: str | None = None) -> schemas.NeedFact:
    return schemas.NeedFact(icon=icon, text=text, tone=tone, url=url)


def others_missing(number: int) -> str:
    """Say how many others have to give the same answer before anything happens."""
    return "Another person has to, too." if number == 1 else f"{number} other people have to, too."


class Asked(Protocol):
    """A person who was asked by name, and why, as a sentence."""

    @property
    def words(self) -> str: ...


def deadline_facts(reminded_at: datetime | None, asked: Sequence[Asked]) -> list[schemas.NeedFact]:
    """Return what happened because nobody answered or looked in time."""
    facts = [fact("clock", f"reminded {times.ago(reminded_at)}", "warn")] if reminded_at is not None else []
    return facts + [fact("user", one.words, "warn") for one in asked]


def link_facts(links: Sequence[tuple[str, str]]) -> list[schemas.NeedFact]:
    """Return the first link that shows a result, of names and addresses, and how many more there are."""
    if not links:
        return []
    more = f" and {len(links) - 1} more" if len(links) > 1 else ""
    name, url = links[0]
    return [fact("external-link", f"{shortened(name, 60)}{more}", url=url)]


def need(
    page: Page,
    key: Key,
    *,
    title: str,
    url: str,
    answers: Sequence[schemas.NeedAnswer],
    otherwise: str,
    at: datetime | None = None,
    reason: str | None = None,
    exact: str | None = None,
    high_risk: bool = False,
    facts: Sequence[schemas.NeedFact] = (),
    tasks: Sequence[schemas.NeedTask] = (),
    agent: schemas.NeedParty | None = None,
    person: schemas.NeedParty | None = None,
    diff_url: str | None = None,
) -> schemas.Need:
    """Return a need from its place in the list and its words; `at` is when `otherwise` happens."""
    board = page.boards.get(key.board_id) if key.board_id is not None else None
    return schemas.Need(
        id=key.name,
        kind=key.kind,
        group=KINDS[key.kind].group,
        title=title,
        reason=reason or None,
        exact=exact or None,
        since=key.since,
        version=key.digest,
        board=schemas.NeedBoard(id=key.board_id, name=board)
        if key.board_id is not None and board is not None
        else None,
        tasks=list(tasks),
        agent=agent,
        person=person,
        facts=sorted(facts, key=lambda one: not one.is_counted),
        answers=list(answers),
        high_risk=high_risk,
        otherwise=schemas.NeedOtherwise(at=at, text=otherwise),
        snoozed_until=key.snoozed_until,
        is_snoozed=key.is_snoozed,
        url=url,
        diff_url=diff_url,
    )


def span(seconds: float) -> str:
    """Return a length of time in words: `38 min`, `2 h`, `3 d`."""
    if seconds < MINUTE:
        return f"{max(0, int(seconds))} s"
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} min"
    return f"{int(seconds // HOUR)} h" if seconds < 2 * DAY else f"{int(seconds // DAY)} d"


def in_one_line(text: str) -> str:
    """Return a text without line breaks, no longer than a row of the list takes."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_REASON else f"{line[: LONGEST_REASON - 1].rstrip()}…"


def is_cut(line: str) -> bool:
    """Return whether `in_one_line` left something out."""
    return line.endswith("…") and len(line) >= LONGEST_REASON - 1


def shortened(text: str, longest: int) -> str:
    line, _, rest = text.strip().partition("\n")
    if len(line) > longest:
        return f"{line[: longest - 1].rstrip()}…"
    return f"{line.rstrip()} …" if rest.strip() else line
