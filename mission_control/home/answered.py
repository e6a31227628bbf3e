"""What was answered: by others while the page is open, and what last."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mission_control.accounts.names import person_name
from mission_control.approvals import queue as approvals
from mission_control.boards.models import Board
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.database.sql import placeholders, select
from mission_control.needs.approvals import title_of
from mission_control.needs.schemas import Group
from mission_control.questions import queue as questions

MOST = 20
WORDS = {"approved": "approved this", "changes_requested": "sent this back", "rejected": "rejected this"}


@dataclass(frozen=True, slots=True)
class _Answer:
    kind: str
    id: UUID
    board_id: UUID
    since: datetime
    answered_at: datetime
    user_id: UUID | None
    name: str | None
    decision: str | None


@dataclass(frozen=True, slots=True)
class Answered:
    """Something that no longer waits: what was asked, who answered it, and how."""

    id: str
    kind: str
    title: str
    url: str
    since: datetime
    answered_at: datetime
    name: str
    is_mine: bool
    words: str
    answer: str
    group: Group = "answer"


async def answered_by_others(actor: Actor, opened: datetime) -> list[Answered]:
    """Return what other people answered on the actor's boards since a page was opened, oldest first."""
    boards = {board.id: board for board in await boards_of(actor)}
    found = await _answers(boards, "one.answered_at >= ? AND one.user_id <> ?", [opened, actor.id], "ASC", MOST)
    return await _said(actor, boards, found)


async def last_answered(actor: Actor) -> Answered | None:
    """Return what a person answered last on the actor's boards."""
    boards = {board.id: board for board in await boards_of(actor)}
    said = await _said(actor, boards, await _answers(boards, "1 = 1", [], "DESC", 1))
    return said[0] if said else None


async def _answers(
    boards: dict[UUID, Board], where: str, values: list[datetime | UUID | None], order: str, most: int
) -> list[_Answer]:
    if not boards:
        return []
    here = placeholders(len(boards))
    return await select(
        _Answer,
        f"SELECT one.*, {person_name('u')} AS name FROM ("
        "SELECT 'approval' AS kind, id, board_id, created_at AS since, resolved_at AS answered_at,"
        " resolved_by_user_id AS user_id, decision FROM approvals"
        f" WHERE board_id IN ({here}) AND resolved_by_kind = 'user' AND status <> 'pending'"
        " UNION ALL SELECT 'question', id, board_id, created_at, answered_at, answered_by_user_id, NULL"
        f" FROM agent_questions WHERE board_id IN ({here}) AND state = 'answered' AND answered_by_user_id IS NOT NULL"
        f") AS one LEFT JOIN users u ON u.id = one.user_id WHERE {where} ORDER BY one.answered_at {order} LIMIT {most}",
        *boards,
        *boards,
        *values,
    )


async def _said(actor: Actor, boards: dict[UUID, Board], found: list[_Answer]) -> list[Answered]:
    asked = {kind: [one.id for one in found if one.kind == kind] for kind in ("approval", "question")}
    decided = {one.id: one for one in await approvals.items_of(actor, list(boards.values()), asked["approval"])}
    replied = {one.id: one for one in await questions.items_of(actor, boards, asked["question"])}
    said = []
    for one in found:
        if one.kind == "approval" and one.id in decided:
            item = decided[one.id]
            said.append(_answered(actor, one, title_of(item), item.url, WORDS.get(one.decision or "", "decided this")))
        elif one.id in replied:
            question = replied[one.id]
            title = f"{question.asker} asks: {question.title}"
            answer = question.chosen or question.answer
            said.append(_answered(actor, one, title, question.url, "answered this", answer[:120]))
    return said


def _answered(actor: Actor, one: _Answer, title: str, url: str, words: str, answer: str = "") -> Answered:
    return Answered(
        id=f"{one.kind}:{one.id}",
        kind=one.kind,
        title=title,
        url=url,
        since=one.since,
        answered_at=one.answered_at,
        name=one.name or "Somebody",
        is_mine=one.user_id == actor.id,
        words=words,
        answer=answer,
    )
