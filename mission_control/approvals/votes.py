"""Several people who have to approve: whose approval counts, how many are missing, and taking one back.

An approval of one of them is a vote. It counts while what is decided is what the person saw, and while that person may
answer on the board. Sending back and rejecting need one person alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mission_control.approvals.models import Approval, ApprovalVote
from mission_control.approvals.queries import parts_of_approvals
from mission_control.approvals.schemas import PersonRef, VoteRead
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, Forbidden
from mission_control.core.substance import substance_of
from mission_control.core.values import new_id
from mission_control.database.sql import in_list, rows, select
from mission_control.events.event_log import Kind, NewEvent
from mission_control.events.unit_of_work import reacts_to, record
from mission_control.needs.recipients import ANSWERS, in_words
from mission_control.people.accounts.names import person_name

EVENTS = (
    Kind("approval.voted", "A person approved what several people have to approve, and others are missing."),
    Kind("approval.vote_withdrawn", "A person took back their approval, which others had not completed."),
    Kind("approval.vote_lapsed", "What people had approved changed before enough of them had: they are asked again."),
)

NOT_BY_CHAT = "Several people have to approve this, each in Mission Control: open it there. Nothing was done."

# SQL on `a` and `b`, an approval and its board: how many people have to approve it.
NEEDED = (
    "CASE WHEN b.programs_need_quorum OR (a.gateway_id IS NULL AND a.session_id IS NULL)"
    " THEN b.approvals_needed ELSE 1 END"
)
# SQL on `a` and `b`: a person asked for it, who does not count among those who approve.
OF_PERSON = "a.agent_id IS NULL AND a.requested_by_user_id IS NOT NULL"
# SQL on `a`, a pending approval: it no longer waits for a person, who approved it, or who asked for it. Takes their id
# twice.
IS_DONE_FOR = (
    "(EXISTS (SELECT 1 FROM approval_votes v WHERE v.approval_id = a.id AND v.user_id = ? AND v.is_current)"
    f" OR ({OF_PERSON} AND a.requested_by_user_id = ?"
    f" AND (SELECT {NEEDED} FROM boards b WHERE b.id = a.board_id) > 1))"
)
# SQL that finds for whom pending approvals on the boards of `mine` no longer wait.
DONE = (
    "SELECT v.user_id, a.id AS subject_id, a.board_id FROM approvals a JOIN mine ON mine.id = a.board_id"
    " JOIN approval_votes v ON v.approval_id = a.id AND v.is_current WHERE a.status = 'pending'"
    " UNION SELECT a.requested_by_user_id, a.id, a.board_id FROM approvals a JOIN mine ON mine.id = a.board_id"
    f" JOIN boards b ON b.id = a.board_id WHERE a.status = 'pending' AND {OF_PERSON} AND {NEEDED} > 1"
)


@dataclass(frozen=True, slots=True)
class Vote:
    id: UUID
    approval_id: UUID
    user_id: UUID
    name: str
    substance: str
    note: str | None
    always: bool
    is_current: bool
    may_answer: bool  # the person, now
    created_at: datetime

    def counts(self, present: str | None) -> bool:
        """`present` is the substance of what waits, None of what is decided."""
        return self.is_current and (present is None or (present == self.substance and self.may_answer))

    def read(self, present: str | None) -> VoteRead:
        user = PersonRef(id=self.user_id, name=self.name)
        return VoteRead(user=user, note=self.note, created_at=self.created_at, is_current=self.counts(present))


@dataclass(frozen=True, slots=True)
class Tally:
    """How many people have to approve, how many have, and whether all of them said yes for the next times too."""

    needed: int
    given: int
    always: bool

    @property
    def missing(self) -> int:
        return max(0, self.needed - self.given)

    @property
    def words(self) -> str:
        return f"{self.given} of {self.needed}"


def standing(needed: int, votes: Iterable[VoteRead]) -> str:
    """Say how many have approved, and who, where several people have to; else empty."""
    if needed < 2:
        return ""
    if not (names := [vote.user.name for vote in votes if vote.is_current]):
        return f"{needed} people have to approve"
    return f"{len(names)} of {needed}: {in_words(names)} approved"


async def votes_of(approval_ids: Sequence[object]) -> dict[UUID, list[Vote]]:
    by_approval: dict[UUID, list[Vote]] = {}
    listed, ids = in_list(approval_ids)
    sql = (
        f"SELECT v.id, v.approval_id, v.user_id, {person_name('u', 'User')} AS name, v.substance, v.note, v.always,"
        " v.is_current, EXISTS (SELECT 1 FROM organization_members m WHERE m.user_id = v.user_id"
        f" AND m.organization_id = b.organization_id AND {ANSWERS.format('b.id')}) AS may_answer, v.created_at"
        " FROM approval_votes v JOIN users u ON u.id = v.user_id JOIN approvals a ON a.id = v.approval_id"
        " JOIN boards b ON b.id = a.board_id"
        f" WHERE v.approval_id IN ({listed}) ORDER BY v.created_at, v.id"
    )
    for vote in await select(Vote, sql, *ids):
        by_approval.setdefault(vote.approval_id, []).append(vote)
    return by_approval


async def needed_for(approval: Approval) -> int:
    sql = f"SELECT {NEEDED} AS needed FROM approvals a JOIN boards b ON b.id = a.board_id WHERE a.id = ?"
    return int((await rows(sql, approval.id))[0]["needed"])


async def missing_for(approval_id: UUID) -> int:
    """0 for what is decided."""
    approval = await Approval.get_or_none(id=approval_id, status="pending")
    if approval is None:
        return 0
    return (await _tally(approval, substance_of((await parts_of_approvals([approval_id]))[approval_id]))).missing


async def _tally(approval: Approval, substance: str) -> Tally:
    votes = [vote for vote in (await votes_of([approval.id])).get(approval.id, []) if vote.counts(substance)]
    return Tally(await needed_for(approval), len(votes), all(vote.always for vote in votes))


def refuse_requester(actor: Actor, approval: Approval) -> None:
    """Raise Forbidden for the person who asked: they do not count among several who approve."""
    if approval.agent_id is None and approval.requested_by_user_id == actor.user_id:
        raise Forbidden("You asked for this, so other people have to approve it.")


async def cast(actor: Actor, approval: Approval, substance: str, note: str | None, always: bool) -> Tally | None:
    """Store the vote of a person. Return how it stands, None when this person had said the same before.

    The calling command holds the approval. Raise Forbidden for the person who asked, Conflict where a chat vouches for
    the voter: who set it up could vote for everybody whom it reaches.
    """
    refuse_requester(actor, approval)
    if actor.credential[0] == "channel":
        raise Conflict(ErrorCode.APPROVAL_NEEDS_SEVERAL.detail(NOT_BY_CHAT))
    votes = (await votes_of([approval.id])).get(approval.id, [])
    if any(vote.user_id == actor.user_id and vote.counts(substance) and vote.always == always for vote in votes):
        return None
    await rows(
        "INSERT INTO approval_votes (id, approval_id, user_id, substance, note, always, is_current, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (approval_id, user_id) DO UPDATE SET"
        " substance = excluded.substance, note = excluded.note, always = excluded.always,"
        " is_current = excluded.is_current, created_at = excluded.created_at",
        new_id(), approval.id, actor.user_id, substance, note, always, True, times.clock_now(),
    )  # fmt: skip
    return await _tally(approval, substance)


async def has_voted(approval_id: UUID, user_id: UUID | None) -> bool:
    return await ApprovalVote.filter(approval_id=approval_id, user_id=user_id).exists()


async def withdraw(approval: Approval, user_id: UUID | None) -> bool:
    """Delete the vote of a person; return whether there was one. The calling command holds the approval."""
    return bool(await ApprovalVote.filter(approval_id=approval.id, user_id=user_id).delete())


async def forget(approval: Approval, user_id: UUID | None) -> None:
    """Before an approval waits again: take back the vote of who reopens it, or all of them when that one had none."""
    if not await withdraw(approval, user_id):
        await ApprovalVote.filter(approval_id=approval.id).delete()


@reacts_to("task.code_reported", "approval.task_closed")
async def lapse_after_event(actor: Actor, event: NewEvent) -> None:
    if event.scope.task_id is not None:
        await lapse_changed(event.scope.task_id)


async def lapse_changed(task_id: UUID) -> None:
    """Ask people again whose vote was for something else than what is decided now about a task.

    Commands that change its text or what was handed in call it, on boards where several people have to approve.
    """
    approvals = await rows(
        "SELECT DISTINCT a.id FROM approval_task_links l JOIN approvals a ON a.id = l.approval_id"
        " AND a.status = 'pending' JOIN approval_votes v ON v.approval_id = a.id AND v.is_current WHERE l.task_id = ?",
        task_id,
    )
    if not approvals:
        return
    ids = [UUID(str(row["id"])) for row in approvals]
    parts = await parts_of_approvals(ids)
    votes = [vote for of_one in (await votes_of(ids)).values() for vote in of_one if vote.is_current]
    await _lapse(vote for vote in votes if vote.substance != substance_of(parts[vote.approval_id]))


@reacts_to("board.updated")
async def lapse_beyond_needed(actor: Actor, event: NewEvent) -> None:
    """Ask the last people again where fewer suffice now: a setting by itself decides nothing."""
    changed: Mapping[str, object] = event.data.get("after") or {}
    if not {"approvals_needed", "programs_need_quorum"} & changed.keys():
        return
    approvals = await rows(
        f"SELECT a.id, {NEEDED} AS needed FROM approvals a JOIN boards b ON b.id = a.board_id WHERE a.board_id = ?"
        " AND a.status = 'pending' AND EXISTS (SELECT 1 FROM approval_votes v WHERE v.approval_id = a.id)",
        event.scope.board_id,
    )
    needed = {UUID(str(row["id"])): int(row["needed"]) for row in approvals}
    votes = await votes_of(list(needed)) if needed else {}
    for approval_id, of_one in votes.items():
        await _lapse([vote for vote in of_one if vote.is_current][needed[approval_id] - 1 :])


async def _lapse(votes: Iterable[Vote]) -> None:
    """Let votes no longer count, so that these people are asked again, and record it."""
    lapsed: dict[UUID, list[Vote]] = {}
    for vote in votes:
        lapsed.setdefault(vote.approval_id, []).append(vote)
    if not lapsed:
        return
    for approval in await Approval.filter(id__in=list(lapsed)).select_related("board"):
        of_one = lapsed[approval.id]
        await ApprovalVote.filter(id__in=[vote.id for vote in of_one]).update(is_current=False)
        record(
            "approval.vote_lapsed",
            approval.scope(),
            f"Asked again, because it changed since it was approved: {approval.action_type}.",
            agent_id=approval.agent_id,
            approval_id=approval.id,
            user_ids=[vote.user_id for vote in of_one],
            task_ids=[],
        )
