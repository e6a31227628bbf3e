"""What an agent is told with its work, so that it needs to read nothing else: one statement for all of it."""

from collections.abc import Sequence
from datetime import datetime
from textwrap import shorten
from typing import Annotated, Literal, TypedDict
from uuid import UUID

from pydantic import Field

from mission_control.approvals.payloads import action_words
from mission_control.boards.models import Board
from mission_control.core.values import JsonObject, Schema
from mission_control.database.sql import Row, as_id, as_moment, rows
from mission_control.people.accounts.names import person_name

MOST_COMMENTS, MOST_FILES, MOST_ATTEMPTS, MOST_ASKS = 10, 100, 10, 20
LONGEST_LINE = 300  # characters of a summary or a reason in a line
LONGEST_NOTE = 20_000  # characters of what should change, with the comments at lines

type WhyKind = Literal["new", "rework", "resume", "held"]


class Why(Schema):
    """Why a task comes to an agent."""

    kind: Annotated[WhyKind, Field(description="`held`: it was the caller's already, and its lease was renewed")]
    text: Annotated[str, Field(description="The same in a sentence, with the note or the answer")]


class BriefStep(Schema):
    """A step of the task."""

    id: UUID
    text: str
    is_done: bool


class BriefComment(Schema):
    """A comment on the task."""

    id: UUID
    author: str
    message: str
    created_at: datetime


class BriefFile(Schema):
    """A file of the task."""

    id: UUID
    name: str
    content_type: str
    size: int


class BriefAsk(Schema):
    """What people were asked about the task, and what they answered."""

    kind: Literal["approval", "question"]
    id: UUID
    text: str
    state: Annotated[str, Field(description="open; answered, withdrawn, closed; approved, rejected, changes_requested")]
    answer: Annotated[str | None, Field(description="What people chose or wrote, or their note")]
    answered_by: str | None
    answered_at: datetime | None


class BriefRead(Schema):
    """All that is known about the work: nothing else needs to be read before it begins."""

    why: Annotated[Why | None, Field(description="Why it comes to the caller")] = None
    brief: Annotated[str, Field(description="How we work here: what the people of the board want of every task")] = ""
    criteria: Annotated[list[BriefStep], Field(description="What must hold when the work is handed in")] = []
    steps: Annotated[list[BriefStep], Field(description="The other steps of the task")] = []
    comments: Annotated[list[BriefComment], Field(description="The newest comments, the oldest of them first")] = []
    comments_total: Annotated[int, Field(description="How many comments there are")] = 0
    files: Annotated[list[BriefFile], Field(description="The files of the task, the newest last")] = []
    earlier: Annotated[list[str], Field(description="Earlier attempts in a line each, the newest first")] = []
    asks: Annotated[list[BriefAsk], Field(description="What people were asked about it, the oldest first")] = []


class Brief(TypedDict, total=False):
    """The brief as it is answered."""

    why: JsonObject
    brief: str
    criteria: list[JsonObject]
    steps: list[JsonObject]
    comments: list[JsonObject]
    comments_total: int
    files: list[JsonObject]
    earlier: list[str]
    asks: list[JsonObject]


# One row for each part of a brief. `number` counts: tells criteria apart, bytes, the fence of an attempt.
PARTS = f"""
SELECT 'step' AS part, i.id AS id, NULL AS name, i.text AS text, NULL AS answer,
    CASE WHEN i.is_done THEN 'done' ELSE 'open' END AS state, CAST(NULL AS TIMESTAMP) AS at,
    CASE WHEN i.is_criterion THEN 1 ELSE 0 END AS number, i.position AS rank
FROM task_checklist_items i WHERE i.task_id = ?
UNION ALL SELECT * FROM (
    SELECT 'comment', c.id, COALESCE(a.name, {person_name("u")}, c.author_name, 'Somebody'), c.message, NULL, NULL,
        c.created_at, 0, 0.0
    FROM task_comments c LEFT JOIN agents a ON a.id = c.agent_id LEFT JOIN users u ON u.id = c.user_id
    WHERE c.task_id = ? AND c.deleted_at IS NULL ORDER BY c.created_at DESC, c.id DESC LIMIT {MOST_COMMENTS}
) AS comments
UNION ALL SELECT 'total', NULL, NULL, NULL, NULL, NULL, NULL, COUNT(*), 0.0
FROM task_comments c WHERE c.task_id = ? AND c.deleted_at IS NULL
UNION ALL SELECT * FROM (
    SELECT 'file', f.id, f.name, f.content_type, NULL, NULL, f.created_at, f.size, 0.0
    FROM task_attachments f WHERE f.task_id = ? ORDER BY f.created_at DESC, f.id DESC LIMIT {MOST_FILES}
) AS files
UNION ALL SELECT * FROM (
    SELECT 'attempt', r.id, r.agent_name, COALESCE(r.summary, r.end_reason), NULL, r.state, r.ended_at, r.fence, 0.0
    FROM task_runs r WHERE r.task_id = ? AND r.ended_at IS NOT NULL ORDER BY r.fence DESC LIMIT {MOST_ATTEMPTS}
) AS attempts
UNION ALL SELECT * FROM (
    SELECT 'approval', p.id, COALESCE({person_name("d")}, p.resolved_by_name),
        p.action_type || ': ' || COALESCE(p.payload ->> 'reason', ''), p.note,
        CASE WHEN p.status = 'pending' THEN 'open' ELSE COALESCE(p.decision, p.status) END, p.resolved_at, 0, 0.0
    FROM approval_task_links k JOIN approvals p ON p.id = k.approval_id
    LEFT JOIN users d ON d.id = p.resolved_by_user_id
    WHERE k.task_id = ? ORDER BY p.created_at DESC, p.id DESC LIMIT {MOST_ASKS}
) AS asked_approvals
UNION ALL SELECT * FROM (
    SELECT 'question', q.id, COALESCE({person_name("w")}, q.answered_by_name), q.content,
        COALESCE(q.answer, q.closed_reason), CASE WHEN q.closed_at IS NULL THEN q.state ELSE 'closed' END,
        COALESCE(q.answered_at, q.closed_at, CASE WHEN q.state <> 'open' THEN q.created_at END), 0, 0.0
    FROM task_runs r JOIN agent_questions q ON q.run_id = r.id LEFT JOIN users w ON w.id = q.answered_by_user_id
    WHERE r.task_id = ? ORDER BY q.created_at DESC, q.id DESC LIMIT {MOST_ASKS}
) AS asked_questions
"""
ENDS = {
    "completed": "handed in",
    "released": "given back",
    "expired": "ended with its lease",
    "superseded": "given to somebody else",
}
ANSWERS = {
    "answered": "answered",
    "approved": "approved it",
    "rejected": "rejected it",
    "changes_requested": "asks for changes",
}


async def brief_of(board: Board, task_id: UUID, why: WhyKind | None = None) -> Brief:
    """Return what an agent is told with its work.

    Without `why` it is new, or rework if the attempt before it was handed in.
    """
    related: dict[str, list[Row]] = {}
    for row in await rows(PARTS, *[task_id] * PARTS.count("?")):
        related.setdefault(row["part"], []).append(row)
    steps = sorted(related.get("step", ()), key=lambda row: (row["rank"], str(row["id"])))
    comments = sorted(related.get("comment", ()), key=_moment)
    asks = sorted(related.get("approval", []) + related.get("question", []), key=_moment)
    attempts = sorted(related.get("attempt", ()), key=lambda row: -row["number"])
    kind = why or ("rework" if attempts and attempts[0]["state"] == "completed" else "new")
    return {
        "why": {"kind": kind, "text": _sentence(kind, attempts, asks, comments)},
        "brief": board.brief,
        "criteria": [_step(row) for row in steps if row["number"]],
        "steps": [_step(row) for row in steps if not row["number"]],
        "comments": [
            {"id": as_id(row["id"]), "author": row["name"], "message": row["text"], "created_at": as_moment(row["at"])}
            for row in comments
        ],
        "comments_total": int(related["total"][0]["number"]),
        "files": [
            {"id": as_id(row["id"]), "name": row["name"], "content_type": row["text"], "size": int(row["number"])}
            for row in sorted(related.get("file", ()), key=_moment)
        ],
        "earlier": [_attempt(row) for row in attempts],
        "asks": [_ask(row) for row in asks],
    }


def _moment(row: Row) -> tuple[str, str]:
    at = as_moment(row["at"])
    return at.isoformat() if at is not None else "~", str(row["id"])


def _step(row: Row) -> JsonObject:
    return {"id": as_id(row["id"]), "text": row["text"], "is_done": row["state"] == "done"}


def _attempt(row: Row) -> str:
    ended = f"Attempt {row['number']} by {row['name']}, {ENDS[row['state']]}"
    return f"{ended}: {_short(row['text'])}" if row["text"] else f"{ended}."


def _ask(row: Row) -> JsonObject:
    text = str(row["text"])
    if row["part"] == "approval":
        action, _, reason = text.partition(": ")
        text = f"{action_words(action)}: {reason}" if reason else action_words(action)
    ask = {"kind": row["part"], "id": as_id(row["id"]), "text": text, "state": row["state"]}
    return ask | {"answer": row["answer"], "answered_by": row["name"], "answered_at": as_moment(row["at"])}


def _short(text: str) -> str:
    return shorten(text, LONGEST_LINE, placeholder=" …")


def _sentence(kind: WhyKind, attempts: Sequence[Row], asks: Sequence[Row], comments: Sequence[Row]) -> str:
    settled = [row for row in asks if row["at"] is not None]
    if kind == "resume":
        return f"You go on: {_answer(settled[-1])}" if settled else "You go on."
    if kind == "held":
        return "You have it already; its lease is renewed."
    if kind == "rework":
        return _sent_back(_moment(attempts[0])[0], settled, comments)
    count = len(attempts)
    earlier = "1 earlier attempt" if count == 1 else f"{count} earlier attempts"
    return f"{earlier} did not finish it." if count else "It is new."


def _sent_back(since: str, settled: Sequence[Row], comments: Sequence[Row]) -> str:
    refusals = [row for row in settled if row["state"] in ("changes_requested", "rejected")]
    if refusals and _moment(refusals[-1])[0] >= since:
        return f"It was sent back: {_answer(refusals[-1], whole=True)}"
    notes = [row for row in comments if _moment(row)[0] > since]
    return f"It was sent back. {notes[-1]['name']}: {_whole(notes[-1]['text'])}" if notes else "It was sent back."


def _whole(text: str) -> str:
    return text if len(text) <= LONGEST_NOTE else f"{text[:LONGEST_NOTE]} …"


def _answer(row: Row, *, whole: bool = False) -> str:
    did = ANSWERS.get(row["state"])
    ended = f"{row['name'] or 'Mission Control'} {did}" if did else f"it was {row['state']}"
    answer = row["answer"] and (_whole if whole else _short)(row["answer"])
    return f"{ended}: {answer}" if answer else f"{ended}."
