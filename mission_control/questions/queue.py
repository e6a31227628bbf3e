"""Questions in people's queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from markupsafe import Markup

from mission_control.approvals.related_rows import QueueView, Row
from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.clock import now
from mission_control.core.substance import substance_of
from mission_control.database.sql import as_id, as_json, as_moment, placeholders, rows
from mission_control.questions.queries import SELECT, parts_of
from mission_control.web.fragments import render_macro

LIMIT = 200
TITLE_LENGTH = 140
TEMPLATE = "questions/rows.html"


@dataclass(frozen=True, slots=True)
class Item:
    """One question, ready to be shown."""

    id: UUID
    board: Board
    title: str
    text: str
    asker: str
    asker_id: UUID | None
    channel: str
    state: str
    answer: str
    answered_by: str
    answered_at: datetime | None
    created_at: datetime
    may_answer: bool
    options: list[dict[str, Any]]
    allows_text: bool
    chosen: str
    expires_at: datetime | None
    answer_state: str
    decide_by: datetime | None
    otherwise: str
    other_name: str
    otherwise_label: str
    reminded_at: datetime | None
    asked_name: str
    substance: str
    closed_reason: str

    @property
    def url(self) -> str:
        """Return the address of the question's page."""
        return f"/boards/{self.board.id}/questions/{self.id}"

    @property
    def has_expired(self) -> bool:
        """Return whether its gateway no longer takes an answer."""
        return self.expires_at is not None and self.expires_at <= now()

    @property
    def without_answer(self) -> str:
        """Return what happens when nobody answers."""
        if self.expires_at is not None:
            return f"The gateway goes on without an answer for {self.asker}."
        if self.decide_by is not None:
            said = {"option": f"“{self.otherwise_label}” is taken.", "ask": f"{self.other_name} is asked."}
            return said.get(self.otherwise, "Everybody who can answer is reminded.")
        return f"It stays here; {self.asker} waits until somebody answers."

    @property
    def is_open(self) -> bool:
        """Return whether the question is open."""
        return self.state == "open"


async def item(actor: Actor, board: Board, question_id: UUID) -> Item | None:
    """Return one question of a board."""
    found = await rows(f"{SELECT} WHERE q.id = ? AND q.board_id = ?", question_id, board.id)
    return _item(actor, board, found[0]) if found else None


async def items_of(actor: Actor, boards: Mapping[UUID, Board], question_ids: list[UUID]) -> list[Item]:
    """Return questions of some boards by their ids."""
    if not question_ids:
        return []
    found = await rows(f"{SELECT} WHERE q.id IN ({placeholders(len(question_ids))})", *question_ids)
    return [_item(actor, boards[UUID(str(row["board_id"]))], row) for row in found]


async def in_queue(actor: Actor, queue_view: QueueView) -> list[Row]:
    """Return the open questions of a queue's boards, and those answered since it was opened."""
    if not queue_view.boards:
        return []
    known = {board.id: board for board in queue_view.boards}
    found = await rows(
        f"{SELECT} WHERE q.board_id IN ({placeholders(len(known))}) AND (q.state = 'open' OR q.answered_at >= ?"
        " OR q.closed_at >= ?)"
        f" ORDER BY q.created_at, q.id LIMIT {LIMIT}",
        *known,
        queue_view.opened,
        queue_view.opened,
    )
    items = [_item(actor, known[UUID(str(row["board_id"]))], row) for row in found]
    return [Row(one.created_at, one.is_open, _html(one, queue_view)) for one in items]


def _html(one: Item, queue_view: QueueView) -> Markup:
    return Markup(
        render_macro(TEMPLATE, "question_row", item=one, next_url=queue_view.url, show_board=queue_view.show_board)
    )


def _item(actor: Actor, board: Board, row: dict[str, Any]) -> Item:
    title, text = split_heading(row["content"])
    return Item(
        id=UUID(str(row["id"])),
        board=board,
        title=title,
        text=text,
        asker=row["agent_name"],
        asker_id=as_id(row["agent_id"]),
        channel=row["preferred_channel"] or "",
        state=row["state"],
        answer=row["answer"] or "",
        answered_by=row["answered_by_name"],
        answered_at=as_moment(row["answered_at"]),
        created_at=as_moment(row["created_at"]) or now(),
        may_answer=actor.is_user and actor.writes(board),
        options=(options := as_json(row["options"]) or []),
        allows_text=bool(row["allows_text"]),
        chosen=next((one["label"] for one in options if one["id"] == row["chosen_option_id"]), ""),
        expires_at=as_moment(row["expires_at"]),
        answer_state=row["answer_state"] or "",
        decide_by=as_moment(row["decide_by"]),
        otherwise=row["otherwise"] or "",
        other_name=row["other_name"] or "Another person",
        otherwise_label=next((one["label"] for one in options if one["id"] == row["otherwise_option_id"]), ""),
        reminded_at=as_moment(row["reminded_at"]),
        asked_name=row["asked_name"] or "",
        substance=substance_of(parts_of(row)),
        closed_reason=row["closed_reason"] or "",
    )


def split_heading(content: str) -> tuple[str, str]:
    """Split a question into a heading (its first line) and the rest; the rest is all of it if the line is too long."""
    line, _, rest = content.strip().partition("\n")
    if len(line) <= TITLE_LENGTH:
        return line.strip(), rest.strip()
    return line[: TITLE_LENGTH - 1].rstrip() + "…", content
