"""The need for a decision about a proposal of an agent."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor, BoardLike
from mission_control.core.substance import Parts
from mission_control.database.sql import Row, is_postgres, rows
from mission_control.needs.kinds import Details, Key, Last, NeedKind, Page, Rows, Seeker
from mission_control.needs.schemas import Need, NeedParty, NeedTask
from mission_control.needs.wording import answer, fact, in_one_line, need
from mission_control.tasks.models import TaskProposal
from mission_control.tasks.proposals.commands import proposals_read, reopen_proposal

TELL = ("note", "Tell the agent something", False)
INTO = ("task_id", "Into which task, such as #12?", True)


class ProposalNeeds(NeedKind[Row]):
    """Work that an agent found, which nobody has decided about."""

    kind, group, position, title = "proposal", "review", 20, "Proposed tasks"
    urgency = "digest"
    glyph = ("sparkles", "ask")
    table = "task_proposals"
    concerns = ("proposal.",)
    takes_back = is_kept = True
    endings = {
        "proposal.accepted": "put this on the board",
        "proposal.merged": "merged this into a task",
        "proposal.dropped": "dropped this",
    }

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        yield Rows(
            "FROM mine JOIN task_proposals p ON p.board_id = mine.id WHERE p.state = 'open'",
            id="p.id",
            since="p.created_at",
            board_id="p.board_id",
        )

    async def read(self, page: Page) -> Mapping[UUID, Row]:
        return {UUID(str(row["id"])): row for row in await proposals_read(page.ids)}

    async def decides(self, subjects: Sequence[UUID]) -> Mapping[UUID, Parts]:
        parts = ("title", "reason", "description")
        return {UUID(str(row["id"])): {name: row[name] for name in parts} for row in await proposals_read(subjects)}

    async def hold(self, subject: UUID) -> None:
        hold = " FOR NO KEY UPDATE" if is_postgres() else ""
        await rows(
            f"SELECT b.id FROM boards b WHERE b.id = (SELECT board_id FROM task_proposals WHERE id = ?){hold}", subject
        )

    def say(self, page: Page, key: Key, row: Row) -> Need:
        ids = {"board_id": str(row["board_id"]), "proposal_id": str(key.id)}
        agent, origin = row["agent_name"], row["found_in"]

        def choice(name: str, letter: str, label: str, effect: str, **more: Any) -> Any:
            body = {"decision": name}
            return answer(name, letter, label, effect, "decide_proposal", ids, body, undoable=True, **more)

        return need(
            page,
            key,
            title=f"{agent} proposes: {row['title']}",
            reason=in_one_line(row["reason"]),
            url=f"/boards/{row['board_id']}/proposals/{key.id}",
            tasks=[NeedTask(**origin)] if origin else [],
            agent=NeedParty(id=row["agent_id"], name=agent),
            facts=[fact("link", f"found in #{origin['number']} {origin['title']}")] if origin else [],
            answers=[
                choice(
                    "accept", "A", "Accept", "It becomes a task in the inbox.", note=TELL, in_bulk=True,
                    recommended=True,
                ),
                choice("merge", "1", "Merge", "It becomes a comment of that task.", note=INTO),
                choice("drop", "R", "Drop", f"{agent} is told.", note=TELL, in_bulk=True, course="stop"),
            ],
            otherwise="It waits above the inbox; nothing else waits for it.",
        )  # fmt: skip

    async def details(self, actor: Actor, board: BoardLike, subject: UUID) -> Details | None:
        proposals = await proposals_read([subject])
        return (
            Details(says="\n\n".join(filter(None, (proposals[0]["reason"], proposals[0]["description"]))))
            if proposals
            else None
        )

    async def undo(self, actor: Actor, board_id: UUID, subject: UUID, last: Last) -> None:
        proposal = await TaskProposal.get(id=subject)
        proposal.board = await visible_board(actor, board_id)
        await reopen_proposal(actor, proposal)


KINDS = (ProposalNeeds(),)
