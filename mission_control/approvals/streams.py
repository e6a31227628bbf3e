"""Wait for decisions without polling the database, and approvals as a stream."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
from quart import Response

from mission_control.approvals.models import Approval
from mission_control.approvals.queries import approval_counts, pending_count, visible_approval
from mission_control.approvals.schemas import ApprovalQuery
from mission_control.approvals.views import approval_read, list_approvals
from mission_control.boards.models import Board
from mission_control.boards.queries import still_exists, visible_board
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.values import NewsPaging, page, to_json, version_of
from mission_control.database.records import Asked
from mission_control.database.sql import Row
from mission_control.events import broker
from mission_control.events.event_log import NewEvent
from mission_control.events.models import Event
from mission_control.events.shared_reads import Shared
from mission_control.events.stream import json_stream
from mission_control.events.unit_of_work import notify, reacts_to
from mission_control.http import lookups
from mission_control.http.operation import settled


@dataclass(frozen=True, slots=True)
class Polls[T: Asked, Q: NewsPaging]:
    """Waits for approvals or questions, for one or a list of a board, without polling the database.

    One waits while the field `waits` has its value; `marks` are the fields that tell that one of a list is another.
    """

    kind: str
    find: Callable[[Actor, UUID, UUID], Awaitable[T]]
    read: Callable[[UUID], Awaitable[Row]]
    list_of: Callable[[Board, Q], Awaitable[tuple[list[Row], int]]]
    waits: tuple[str, str]
    marks: Sequence[str]

    async def one(self, actor: Actor, thing: T, seconds: float) -> Row:
        """Return one once it is settled, or as it is when the time is over.

        An agent that lost the right to read it while it waited, such as by a move to another board, is refused.
        """
        field, waiting = self.waits
        return await settled(
            actor,
            thing,
            self.channel_of(thing.id),
            find=lambda present: self.find(present, thing.board_id, thing.id),
            read=lambda subject: self.read(subject.id),
            is_settled=lambda answer: answer[field] != waiting,
            seconds=seconds,
        )

    async def listed(self, actor: Actor, board: Board, query: Q) -> Row:
        """Wait until they are others than the caller knows, or the time is over."""

        async def read(present: Board) -> Row:
            listed, total = await self.list_of(present, query)
            version = version_of(total, ([item[name] for name in self.marks] for item in listed))
            return {**page(listed, total, query), "version": version}

        return await settled(
            actor,
            board,
            self.channel_of_list(board.id),
            find=lambda present: visible_board(present, board.id),
            read=read,
            is_settled=lambda answer: answer["version"] != query.known,
            seconds=query.wait_seconds,
        )

    def wake(self, event: NewEvent) -> None:
        notify(self.channel_of(UUID(str(event.data[f"{self.kind}_id"]))))
        if event.scope.board_id is not None:
            notify(self.channel_of_list(event.scope.board_id))

    def channel_of(self, subject: UUID) -> str:
        return f"{self.kind}:{subject}"

    def channel_of_list(self, board_id: UUID) -> str:
        return f"{self.kind}s:{board_id}"


POLLS = Polls[Approval, ApprovalQuery](
    "approval",
    visible_approval,
    approval_read,
    list_approvals,
    waits=("status", "pending"),
    marks=("id", "status", "decision", "note", "resolved_at", "task_ids"),
)


@reacts_to(
    "approval.requested",
    "approval.decided",
    "approval.reopened",
    "approval.closed",
    "approval.task_closed",
    "approval.ended_on_gateway",
    "approval.ended_at_program",
)
async def wake_polls_of_approvals(actor: Actor, event: NewEvent) -> None:
    POLLS.wake(event)


async def stream_of_approvals(actor: Actor, board: Board) -> Response:
    """One `approval` message per request, decision, re-opening and closing on the board."""

    async def payload(event: Event) -> bytes | None:
        if event.board_id != board.id or not event.kind.startswith("approval.") or event.kind.endswith(UNSTREAMED):
            return None
        approval_id = UUID(orjson.loads(event.data)["approval_id"])
        key = (event.id, broker.known_head(event.organization_id))  # it may have been decided since
        return await _messages.get(key, lambda: _message(board, approval_id))

    async def alive() -> bool:
        current = await lookups.fresh(actor)
        return current is not None and current.reads(board) and await still_exists(board)

    return await json_stream(board.organization_id, "approval", payload, alive)


UNSTREAMED = ("notified", "notify_failed")
_messages: Shared[bytes | None] = Shared()


async def _message(board: Board, approval_id: UUID) -> bytes | None:
    try:
        approval = await approval_read(approval_id)
    except NotFound:
        return None
    counts = await approval_counts(approval["task_ids"])
    message = {"approval": approval, "pending_approvals_count": await pending_count(board.id)}
    if counts:
        message["task_counts"] = counts[0] if len(counts) == 1 else counts
    return to_json(message)
