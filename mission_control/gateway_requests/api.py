"""What gateways ask for agents that are on no board, over HTTP for owners and admins."""

from mission_control.core.actor import Actor
from mission_control.core.paging import Page, page
from mission_control.core.schemas import ErrorResponse
from mission_control.gateway_requests import boardless, queries
from mission_control.gateway_requests.models import GatewayRequest
from mission_control.gateway_requests.queries import GatewayRequestDecision, GatewayRequestQuery, GatewayRequestRead
from mission_control.operations.api import Api
from mission_control.questions.schemas import QuestionAnswer

api = Api(__name__, "gateways", below="/gateways/requests")


@api.get("", Page[GatewayRequestRead], rule="gateway.manage")
async def list_gateway_requests(actor: Actor, query: GatewayRequestQuery) -> dict[str, object]:
    """List what gateways ask for agents that are on no board, newest first.

    What they ask for agents of boards is in the approvals and questions of those boards.
    """
    found, total = await queries.list_requests(actor, query)
    return page(found, total, query)


@api.get("/<gateway_request_id>", GatewayRequestRead)
async def get_gateway_request(actor: Actor, request: GatewayRequest) -> dict[str, object]:
    """Read a request of a gateway and how it ended."""
    return await queries.read_request(request.id)


@api.post(
    "/<gateway_request_id>/decisions", GatewayRequestRead, rule="gateway_request.answer", errors={409: ErrorResponse}
)
async def decide_gateway_request(
    actor: Actor, request: GatewayRequest, data: GatewayRequestDecision
) -> dict[str, object]:
    """Approve or reject what a gateway asks for. The first decision counts; a second gets 409.

    The gateway gets the answer in the background; what it has from somebody else by then counts.
    """
    await boardless.decide_request(actor, request, data.decision, always=data.always, seen=data.substance)
    return await queries.read_request(request.id)


@api.post(
    "/<gateway_request_id>/answers", GatewayRequestRead, rule="gateway_request.answer", errors={409: ErrorResponse}
)
async def answer_gateway_request(actor: Actor, request: GatewayRequest, data: QuestionAnswer) -> dict[str, object]:
    """Answer a question of a gateway with one of its options or in your own words. The first answer counts.

    Questions that a gateway asks together are sent together, once each has an answer.
    """
    await boardless.answer_request(actor, request, data.answer, data.option_id, data.substance)
    return await queries.read_request(request.id)
