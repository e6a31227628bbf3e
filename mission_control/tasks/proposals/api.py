"""Proposals of agents, and links between tasks, over HTTP."""

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.values import OK, ErrorResponse, JsonObject, LLMErrorResponse, OkResponse, Page, Paging, page
from mission_control.http.operation_api import Api, hints
from mission_control.tasks import links
from mission_control.tasks.api import TASK
from mission_control.tasks.models import Task, TaskLink, TaskProposal
from mission_control.tasks.proposals import commands as proposals

api = Api(__name__, "tasks", who="actor")
PROPOSALS = "/boards/<board_id>/proposals"
PROPOSAL = f"{PROPOSALS}/<proposal_id>"
DECIDED = {409: ErrorResponse}


@api.post(
    f"/agent{PROPOSALS}",
    proposals.ProposalRead,
    rule="task.propose",
    errors=dict.fromkeys((403, 404, 409, 422), LLMErrorResponse),
    hints=hints(
        "agent_task_propose",
        use="When you find work that is not part of your task: a fault beside it, something left over.",
        avoid="Not for what your own task asks for, nor for questions; ask people.",
        needs="You are an agent of the board.",
        effects="It waits above the inbox until people or the lead accept, merge or drop it, which you are told.",
        never="Do not propose the same thing again because nobody has decided yet.",
        route="Go on with your own task; nothing waits for the decision.",
        example="the old address of the shop answers 404",
    ),
)
async def propose(actor: Actor, board: Board, data: proposals.ProposalCreate) -> JsonObject:
    """Propose a task. One that waits with the same title is answered as it is."""
    return (await proposals.proposals_read([(await proposals.propose_task(actor, board, data)).id]))[0]


@api.get(PROPOSALS, Page[proposals.ProposalRead], rule="task.read")
async def list_proposals(actor: Actor, board: Board, query: proposals.ProposalQuery) -> JsonObject:
    """List what agents proposed, newest first."""
    return page(*await proposals.list_proposals(board, query), query)


@api.get(PROPOSAL, proposals.ProposalRead)
async def get_proposal(actor: Actor, proposal: TaskProposal) -> JsonObject:
    """Read a proposal."""
    return (await proposals.proposals_read([proposal.id]))[0]


@api.post(f"{PROPOSAL}/decision", proposals.ProposalRead, rule="task.decide_proposal", errors=DECIDED)
async def decide_proposal(actor: Actor, proposal: TaskProposal, data: proposals.ProposalDecision) -> JsonObject:
    """Make a task of a proposal, merge it into one, or drop it.

    An accepted one becomes a task in the inbox, linked to the one at which it was found. A merged one becomes a comment
    of the other task. Its agent is told.
    """
    return (await proposals.proposals_read([(await proposals.decide_proposal(actor, proposal, data)).id]))[0]


@api.delete(f"{PROPOSAL}/decision", proposals.ProposalRead, rule="task.decide_proposal", errors=DECIDED)
async def reopen_proposal(actor: Actor, proposal: TaskProposal) -> JsonObject:
    """Take the decision about a proposal back.

    The task that was made of it goes to the trash; when it was taken up: 409. Of one that was merged the comment is
    deleted, unless somebody edited it.
    """
    return (await proposals.proposals_read([(await proposals.reopen_proposal(actor, proposal)).id]))[0]


@api.post(f"{PROPOSALS}/decisions", Page[proposals.ProposalRead], rule="task.decide_proposal", errors=DECIDED)
async def decide_proposals(actor: Actor, board: Board, data: proposals.ProposalDecisions) -> JsonObject:
    """Accept or drop many proposals. Those that were decided before stay as they are."""
    decided = await proposals.proposals_read(await proposals.decide_proposals(actor, board, data))
    return page(decided, len(decided), Paging(limit=proposals.MOST_OPEN, offset=0))


@api.get(f"{TASK}/links", Page[links.TaskLinkRead])
async def list_task_links(actor: Actor, task: Task, query: Paging) -> JsonObject:
    """List the links of a task in both directions, oldest first."""
    return page(*await links.list_links(task, query), query)


@api.post(f"{TASK}/links", links.TaskLinkRead, rule="task.link", errors={409: ErrorResponse})
async def link_task(actor: Actor, task: Task, data: links.TaskLinkCreate) -> JsonObject:
    """Say that a task was found in another one of its board, or is its duplicate.

    A link that exists is a no-op. Tasks that would be linked in a circle: 409.
    """
    made = await links.link_task(actor, task, data)
    return next(link for link in await links.links_of(task.id) if str(link["id"]) == str(made.id))


@api.delete(f"{TASK}/links/<link_id>", rule="task.link")
async def unlink_task(actor: Actor, link: TaskLink) -> OkResponse:
    """Remove a link that a task has."""
    await links.unlink_task(actor, link)
    return OK
