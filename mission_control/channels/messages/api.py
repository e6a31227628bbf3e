"""Messages about needs, and the channels of boards' teams, over HTTP."""

from mission_control.boards.models import Board
from mission_control.channels.devices.queries import DeviceTest
from mission_control.channels.messages import queries
from mission_control.channels.messages.queries import MessageRead, MessagesQuery
from mission_control.channels.models import ReachMessage
from mission_control.channels.teams.commands import BoardReach, BoardReachUpdate, read_reach, set_team, team_of
from mission_control.channels.trial_messages import answer_with_test
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict
from mission_control.core.values import JsonObject, Page, page
from mission_control.http.operation_api import Api

of_people = Api(f"{__name__}.people", "users")
of_organizations = Api(f"{__name__}.organizations", "organizations")
of_boards = Api(f"{__name__}.boards", "boards")


@of_people.get("/users/me/reach/messages", Page[MessageRead], rule="reach.choose")
async def list_my_messages(actor: Actor, query: MessagesQuery) -> JsonObject:
    """List what was sent to you in the last 30 days about what needs you, newest first, with what became of it."""
    found, total = await queries.messages_of(actor, query)
    return page(found, total, query)


@of_organizations.get("/organizations/me/messages", Page[MessageRead], rule="channel.manage")
async def list_messages(actor: Actor, query: MessagesQuery) -> JsonObject:
    """List what was sent to anybody in the organization in the last 30 days, newest first."""
    found, total = await queries.messages_in(actor.organization_id, query)
    return page(found, total, query)


@of_organizations.post("/organizations/me/messages/<message_id>/resends", rule="channel.manage")
async def resend_message(actor: Actor, message: ReachMessage) -> MessageRead:
    """Send a message again that was given up. What it was about may have ended since: then nothing is sent."""
    return queries.read_message(await queries.resend_message(actor, message), {})


@of_boards.get("/boards/<board_id>/reach", rule="board.read")
async def get_board_reach(actor: Actor, board: Board) -> BoardReach:
    """Read where a board's team is reached."""
    return await read_reach(board)


@of_boards.put("/boards/<board_id>/reach", rule="board.update")
async def set_board_reach(actor: Actor, board: Board, data: BoardReachUpdate) -> BoardReach:
    """Let a board's team be reached in a channel of a chat: everything that waits on the board is sent there, too.

    Answers count there for people who linked their account, under their own rights.
    """
    await set_team(actor, board, data.team)
    return await read_reach(board)


@of_boards.post("/boards/<board_id>/reach/tests", DeviceTest, rule="board.update", is_atomic=False)
async def test_board_reach(actor: Actor, board: Board) -> DeviceTest | None:
    """Send a test message to the channel of a board's team, and read how that went in the provider's words."""
    device = await team_of(board)
    if device is None:
        raise Conflict("The team of this board has no channel.")
    return await answer_with_test(actor, device)
