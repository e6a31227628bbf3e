"""Work that agents found: they propose it, and people or the lead make a task of it, merge it into one, or drop it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from mission_control.agents.models import Agent
from mission_control.agents.notices import Notices
from mission_control.agents.queries import lead_id_of
from mission_control.agents.reactions import NOTICE
from mission_control.boards.attempts import only_run_of
from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board, Run
from mission_control.boards.priorities import Priority
from mission_control.boards.queries import on_visible_board
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, Invalid, NotFound, existing
from mission_control.core.values import Body, JsonObject, NonEmptyStr, Paging, Schema, example
from mission_control.database.sql import Condition, Row, as_moment, placeholders, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import deliver, record
from mission_control.http.registry import lookup
from mission_control.people.accounts.names import person_name
from mission_control.tasks.commands import create_task
from mission_control.tasks.comments import delete_comment, write_comment
from mission_control.tasks.fields import Ids
from mission_control.tasks.links import LinkedTask, put_link
from mission_control.tasks.models import Comment, Task, TaskProposal
from mission_control.tasks.query import number_in
from mission_control.tasks.removal import delete_task
from mission_control.tasks.schemas import TaskCreate

EVENTS = (
    Kind.named("proposal.made", "An agent proposed a task.", "proposed"),
    Kind.named("proposal.accepted", "A proposed task was put on the board.", "accepted a proposal as"),
    Kind.named("proposal.merged", "A proposed task was merged into one that exists.", "merged a proposal into"),
    Kind.named("proposal.dropped", "A proposed task was dropped.", "dropped the proposal"),
    Kind.named("proposal.reopened", "The decision about a proposed task was taken back.", "reopened the proposal"),
)
WORDS = Notices({"TASK PROPOSED": "proposal", "PROPOSAL DECIDED": "proposal_decided"})
MOST_OPEN = 200  # of a board
State = Literal["open", "accepted", "merged", "dropped"]
Decision = Literal["accept", "merge", "drop"]
STATES: dict[Decision, State] = {"accept": "accepted", "merge": "merged", "drop": "dropped"}
Note = Annotated[Annotated[str, Field(max_length=4000)] | None, Field(description="What the agent reads about it")]


class ProposalCreate(Body):
    """Work that you found, and why somebody should do it."""

    model_config = Body.model_config | example(title="Redirect the old shop address", reason="It answers 404 now.")

    title: Annotated[NonEmptyStr, Field(max_length=500)]
    reason: Annotated[NonEmptyStr, Field(max_length=4000, description="Why it should be done, in a sentence or two")]
    description: Annotated[str | None, Field(max_length=100_000)] = None
    priority: Priority = "medium"
    task_id: Annotated[
        UUID | None, Field(description="The task at which you found it; without it that of your only run")
    ] = None


class ProposalDecision(Body):
    """What becomes of a proposal."""

    model_config = Body.model_config | example(decision="accept")

    decision: Decision
    task_id: Annotated[
        UUID | Annotated[str, Field(pattern=r"^\s*#?[0-9]{1,9}\s*$")] | None,
        Field(description="With `merge` the task into which it goes: its id, or its number such as `#12`"),
    ] = None
    note: Note = None
    custom_field_values: Annotated[
        JsonObject, Field(description="Of the task that is made, where the board requires some")
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_a_task(self) -> Self:
        if (self.decision == "merge") != (self.task_id is not None):
            raise ValueError("send task_id with merge, and only with that")
        return self


class ProposalDecisions(Body):
    """What becomes of many proposals."""

    model_config = Body.model_config | example(
        proposal_ids=["01a20f89-2bd7-774c-8be4-ab89967d70a3"], decision="drop", note="Not this year."
    )

    proposal_ids: Ids = Field(min_length=1, max_length=MOST_OPEN)
    decision: Literal["accept", "drop"]
    note: Note = None


class ProposalQuery(Paging):
    """Which proposals to list."""

    state: State | None = None


class ProposalRead(Schema):
    """Work that an agent found; `task` is what it became or was merged into."""

    id: UUID
    board_id: UUID
    title: str
    reason: str
    description: str | None
    priority: str
    state: State
    agent_id: UUID | None
    agent_name: str
    run_id: UUID | None
    found_in: LinkedTask | None
    task: LinkedTask | None
    decided_by: str | None
    decided_at: datetime | None
    note: str | None
    created_at: datetime


_OF_TASK = tuple(LinkedTask.model_fields)
_SELECT = (
    "SELECT p.id, p.board_id, p.title, p.reason, p.description, p.priority, p.state, p.agent_id, p.agent_name,"
    f" p.run_id, p.decided_at, p.note, p.created_at, {', '.join(f'f.{name} AS found_in_{name}' for name in _OF_TASK)},"
    f" {', '.join(f'x.{name} AS task_{name}' for name in _OF_TASK)}, COALESCE(g.name, {person_name('u')}) AS decided_by"
    " FROM task_proposals p"
    " LEFT JOIN tasks f ON f.id = p.found_in_id AND f.deleted_at IS NULL"
    " LEFT JOIN tasks x ON x.id = p.task_id AND x.deleted_at IS NULL"
    " LEFT JOIN agents g ON g.id = p.decided_by_agent_id LEFT JOIN users u ON u.id = p.decided_by_user_id"
)


async def _read(where: Condition, then: str = "", *more: object) -> list[Row]:
    proposals = await rows(f"{_SELECT} WHERE {where[0]}{then}", *where[1], *more)
    for row in proposals:
        for name in ("found_in", "task"):
            of_task = {part: row.pop(f"{name}_{part}") for part in _OF_TASK}
            row[name] = of_task if of_task["id"] is not None else None
        row |= {name: as_moment(row[name]) for name in ("decided_at", "created_at")}
    return proposals


async def list_proposals(board: Board, query: ProposalQuery) -> tuple[list[Row], int]:
    where, values = "p.board_id = ?", [board.id, *([query.state] if query.state else [])]
    where += " AND p.state = ?" if query.state else ""
    [total] = await rows(f"SELECT COUNT(*) AS n FROM task_proposals p WHERE {where}", *values)
    order = " ORDER BY p.created_at DESC, p.id DESC LIMIT ? OFFSET ?"
    return await _read((where, values), order, query.limit, query.offset), int(total["n"])


async def proposals_read(ids: Sequence[UUID]) -> list[Row]:
    where = f"p.id IN ({placeholders(len(ids))})"
    return await _read((where, list(ids)), " ORDER BY p.created_at, p.id") if ids else []


async def open_proposals(board_id: UUID) -> list[Row]:
    return await _read(("p.board_id = ? AND p.state = 'open'", [board_id]), " ORDER BY p.created_at, p.id")


@lookup
async def visible_proposal(actor: Actor, board_id: UUID, proposal_id: UUID) -> TaskProposal:
    return await on_visible_board(TaskProposal, actor, board_id, proposal_id)


@command("task.propose")
async def propose_task(actor: Actor, board: Board, new: ProposalCreate) -> TaskProposal:
    """Propose a task. One that waits with the same title is returned as it is."""
    board = await locked_board(board)
    same = await TaskProposal.get_or_none(board_id=board.id, state="open", title=new.title)
    if same is not None:
        return same
    if await TaskProposal.filter(board_id=board.id, state="open").count() >= MOST_OPEN:
        raise Conflict(f"{MOST_OPEN} proposals wait on this board. Propose more when some of them are decided.")
    run_id = await only_run_of(actor.agent_id, actor.fence)
    found_in = new.task_id
    if found_in is None and run_id is not None:
        found_in = (await Run.get(id=run_id)).task_id
    elif found_in is not None and not await Task.filter(id=found_in, board_id=board.id, deleted_at=None).exists():
        raise NotFound("The task at which you found it is not on this board.")
    proposal = TaskProposal(
        board_id=board.id,
        agent_id=actor.agent_id,
        agent_name=actor.name,
        run_id=run_id,
        found_in_id=found_in,
        **new.model_dump(exclude={"task_id"}),
    )
    proposal.board = board
    await proposal.save(force_create=True)
    record("proposal.made", proposal, f"Task proposed: {proposal.title}.", title=proposal.title)
    lead_id = await lead_id_of(board.id)
    if lead_id not in (None, actor.agent_id):
        text = f"{actor.name} proposes “{proposal.title}”: {proposal.reason}"
        then = f"You or people accept, merge or drop it. Proposal ID: {proposal.id}"
        text, about = f"{text}\n\n{then}", str(proposal.id)
        deliver(NOTICE, proposal.scope(), agent_id=lead_id, header="TASK PROPOSED", text=text, proposal_id=about)
    return proposal


@command("task.decide_proposal")
async def decide_proposal(actor: Actor, proposal: TaskProposal, decision: ProposalDecision) -> TaskProposal:
    """Make a task of a proposal, merge it into one, or drop it. Raise Conflict when it was decided before."""
    locked = await _locked(proposal)
    if locked.state != "open":
        raise Conflict(ErrorCode.NEED_ENDED.detail(f"This proposal was {locked.state} already."))
    task = None
    if decision.decision == "accept":
        task = await _accept(actor, locked, decision.custom_field_values)
    elif decision.decision == "merge":
        task = await _merge(actor, locked, decision.task_id)
    locked.state, locked.note = STATES[decision.decision], decision.note
    locked.task_id = None if task is None else task.id
    locked.decided_by_user_id, locked.decided_by_agent_id = actor.user_id, actor.agent_id
    locked.decided_at = times.clock_now()
    await _save_decision(locked)
    record(
        {"accept": "proposal.accepted", "merge": "proposal.merged", "drop": "proposal.dropped"}[decision.decision],
        locked,
        f"Proposal {locked.state}: {locked.title}.",
        title=locked.title,
        note=decision.note,
        into=None if task is None else task.number,
    )
    await _notify(actor, locked, task)
    return locked


async def _accept(actor: Actor, proposal: TaskProposal, values: JsonObject) -> Task:
    paragraphs = [proposal.description or "", f"Proposed by {proposal.agent_name}: {proposal.reason}"]
    new = TaskCreate.model_validate(
        {
            "title": proposal.title,
            "description": "\n\n".join(filter(None, paragraphs)),
            "priority": proposal.priority,
            "custom_field_values": values,
        }
    )
    task = await create_task(actor, proposal.board, new)
    found_in = await Task.get_or_none(id=proposal.found_in_id, deleted_at=None) if proposal.found_in_id else None
    if found_in is not None:
        await put_link(task, found_in, "found_in")
    return task


async def _merge(actor: Actor, proposal: TaskProposal, named: UUID | str | None) -> Task:
    """Say in a comment of a task what was proposed. Raise Invalid for a task that is not on the board."""
    which = {"number": number_in(named.strip())} if isinstance(named, str) else {"id": named}
    task = await Task.get_or_none(board_id=proposal.board_id, deleted_at=None, **which)
    if task is None:
        raise Invalid("The task to merge it into is not on this board.")
    task.board = proposal.board
    await write_comment(actor, task, _comment_of(proposal))
    return task


def _comment_of(proposal: TaskProposal) -> str:
    paragraphs = [f"{proposal.agent_name} proposed: {proposal.title}", proposal.reason, proposal.description or ""]
    return "\n\n".join(filter(None, paragraphs)).strip()


async def _take_comment_back(actor: Actor, proposal: TaskProposal) -> None:
    """Delete the comment of a merged proposal, unless somebody edited it."""
    task = await Task.get_or_none(id=proposal.task_id, deleted_at=None)
    changes = {"message": _comment_of(proposal), "edited_at": None, "deleted_at": None}
    by = {"user_id": proposal.decided_by_user_id, "agent_id": proposal.decided_by_agent_id}
    comment = await Comment.filter(task_id=proposal.task_id, **changes, **by).order_by("-created_at").first()
    if task is not None and comment is not None:
        task.board, comment.task = proposal.board, task
        await delete_comment(actor, comment)


@command("task.decide_proposal")
async def reopen_proposal(actor: Actor, proposal: TaskProposal) -> TaskProposal:
    """Take a decision back: the task that was made goes to the trash, the comment of a merged one is deleted.

    Raise Conflict when somebody has taken the task up. A proposal that waits is a no-op.
    """
    locked = await _locked(proposal)
    if locked.state == "open":
        return locked
    made = await Task.get_or_none(id=locked.task_id, deleted_at=None) if locked.state == "accepted" else None
    if made is not None:
        if made.status != "inbox" or made.assigned_agent_id or made.assigned_user_id:
            raise Conflict(f"#{made.number} was taken up meanwhile. Delete it, or leave it.")
        made.board = locked.board
        await delete_task(actor, made)
    if locked.state == "merged":
        await _take_comment_back(actor, locked)
    locked.state, locked.note, locked.task_id, locked.decided_at = "open", None, None, None
    locked.decided_by_user_id = locked.decided_by_agent_id = None
    await _save_decision(locked)
    record("proposal.reopened", locked, f"Proposal reopened: {locked.title}.", title=locked.title)
    return locked


async def _locked(proposal: TaskProposal) -> TaskProposal:
    """Lock a proposal behind its board, as commands that lock both do."""
    board = await locked_board(proposal.board)
    locked = await existing(TaskProposal.select_for_update(no_key=True).get_or_none(id=proposal.id))
    locked.board = board
    return locked


async def _save_decision(proposal: TaskProposal) -> None:
    decided = ("decided_by_user_id", "decided_by_agent_id", "decided_at")
    await proposal.save(update_fields=["state", "note", "task_id", *decided])


@command("task.decide_proposal")
async def decide_proposals(actor: Actor, board: Board, decisions: ProposalDecisions) -> list[UUID]:
    """Decide many proposals, or none of them. Those that were decided before stay as they are; unknown ones: NotFound.

    Return their ids.
    """
    board = await locked_board(board)
    proposals = await TaskProposal.filter(id__in=decisions.proposal_ids, board_id=board.id).order_by("created_at", "id")
    if len(proposals) < len(decisions.proposal_ids):
        raise NotFound("Some of these proposals are not on this board.")
    decision = ProposalDecision(decision=decisions.decision, note=decisions.note)
    for proposal in proposals:
        proposal.board = board
        if proposal.state == "open":
            await decide_proposal(actor, proposal, decision)
    return [proposal.id for proposal in proposals]


async def _notify(actor: Actor, proposal: TaskProposal, task: Task | None) -> None:
    """Notify the agent that proposed it, unless it decided itself or left the board."""
    agent_id = proposal.agent_id
    if agent_id in (None, actor.agent_id) or not await Agent.filter(id=agent_id, board_id=proposal.board_id).exists():
        return
    where = f" {'as' if proposal.state == 'accepted' else 'into'} #{task.number}" if task is not None else ""
    text = f"Your proposal “{proposal.title}” was {proposal.state}{where}.\n{proposal.note or ''}".strip()
    deliver(NOTICE, proposal.scope(), agent_id=agent_id, header="PROPOSAL DECIDED", text=text)
