"""Holds over HTTP: workers report, wait and go on; people answer."""

from mission_control.agents.holds import commands
from mission_control.agents.holds.models import Hold
from mission_control.agents.holds.queries import hold_read, open_holds_of, own_hold, wait_for_answer
from mission_control.agents.holds.schemas import HoldAnswered, HoldCreate, HoldRead, HoldWait
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode
from mission_control.core.values import JsonObject, LLMErrorResponse, Page, Paging, page_of
from mission_control.http.operation_api import Api, hints

api = Api(__name__, "agents")
ERRORS = {403: LLMErrorResponse, 404: LLMErrorResponse, 409: LLMErrorResponse, 422: LLMErrorResponse}


@api.post(
    "/agent/holds",
    HoldRead,
    rule="hold.report",
    errors=ERRORS,
    hints=hints(
        "agent_hold_report",
        use="When your program may not go on now: its limit is used up, its provider is overloaded, its sign-in ended.",
        avoid="Not to wait for people; park the task. Not to put work off; release it.",
        needs="You know when you try again; name what you have begun with its fence, and give the rest back before.",
        effects="People see on Home and at your agent why you wait and until when; what you keep waits for you.",
        never="Do not begin work while you wait, and do not report the same again and again: wait for the answer.",
        route="Then wait with the id, try again at `until` or when the answer says so, and delete it when it works.",
        example="my session limit is reached until half past nine",
    ),
)
async def report_hold(actor: Actor, data: HoldCreate) -> HoldRead:
    """Say that your worker waits: why, until when, and which begun tasks it keeps.

    Workers of one account on one machine share one hold; sent again it is the same, with another end. The kept tasks
    wait without a lease and count no attempt; those whose fence is lost are in `lost`. `answer` is what people want you
    to do: `continue` (try once), `take_over` (others have what you kept; wait on), `stop` (wait until `resumes_at`).
    """
    if actor.board_id is None:
        raise Conflict(ErrorCode.NO_BOARD.detail())
    hold, lost = await commands.report_hold(actor, await visible_board(actor, actor.board_id), data)
    return (await hold_read(hold.id)).model_copy(update={"lost": lost})


@api.get(
    "/agent/holds/<hold_id>",
    find=own_hold,
    errors=ERRORS,
    is_long_poll=True,
    hints=hints(
        "agent_hold_wait",
        use="While your worker waits: with wait_seconds, and the answer that you have as `known`.",
        avoid="Not in a loop without wait_seconds.",
        never="Do not begin work because this call ended; only `continue`, your own time, or an end lets you go on.",
        route="Until `until`, or `resumes_at` after `stop`.",
        example="do people want me to try again now",
    ),
)
async def get_hold(actor: Actor, hold: Hold, query: HoldWait) -> HoldRead:
    """Wait for what people answer: at once when it is another answer than `known`, or the hold ended."""
    return await wait_for_answer(actor, hold, query)


@api.delete(
    "/agent/holds/<hold_id>",
    find=own_hold,
    rule="hold.end",
    errors=ERRORS,
    hints=hints(
        "agent_hold_end",
        use="When your program works again, for all workers of the account.",
        avoid="Not before you tried: the others begin with it.",
        effects="What waited comes back to you by your next claim, with the fence that it had.",
        never="Do not leave a hold open when you work again.",
        route="Then call next.",
        example="my limit is reset, I go on",
    ),
)
async def end_hold(actor: Actor, hold: Hold) -> HoldRead:
    """Go on: end the wait of all workers that share it."""
    await commands.end_hold(actor, hold.id)
    return await hold_read(hold.id)


@api.get("/boards/<board_id>/holds", Page[HoldRead], who="actor", rule="board.read")
async def list_holds(actor: Actor, board: Board, query: Paging) -> JsonObject:
    """List the workers of a board that wait, why and until when; the first one first."""
    return page_of(await open_holds_of(board), query)


@api.post("/boards/<board_id>/holds/<hold_id>/answers", HoldRead, rule="hold.answer")
async def answer_hold(actor: Actor, hold: Hold, data: HoldAnswered) -> HoldRead:
    """Tell workers that wait what to do: try once now, let others take over what they kept, or stop until a time.

    The first answer counts; a second gets 409, but `continue` may follow another one.
    """
    await commands.answer_hold(actor, hold, data)
    return await hold_read(hold.id)
