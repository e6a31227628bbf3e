"""What gateways ask for agents that are on no board, over HTTP for owners and admins."""

from mission_control.core.actor import Actor
from mission_control.core.values import ErrorResponse, Page, page
from mission_control.home import boardless, gateway_request_queries
from mission_control.home.gateway_request_queries import GatewayRequestDecision, GatewayRequestQuery, GatewayRequestRead
from mission_control.home.models import GatewayRequest
from mission_control.home.question_schemas import QuestionAnswer
from mission_control.http.operation_api import Api

api = Api(__name__, "gateways", below="/gateways/requests")


@api.get("", Page[GatewayRequestRead], rule="gateway.manage")
async def list_gateway_requests(actor: Actor, query: GatewayRequestQuery) -> dict[str, object]:
    """List what gateways ask for agents that are on no board, newest first.

    What they ask for agents of boards is in the approvals and questions of those boards.
    """
    found, total = await gateway_request_queries.list_requests(actor, query)
    return page(found, total, query)


@api.get("/<gateway_request_id>", GatewayRequestRead)
async def get_gateway_request(actor: Actor, request: GatewayRequest) -> dict[str, object]:
    """Read a request of a gateway and how it ended."""
    return await gateway_request_queries.read_request(request.id)


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
    return await gateway_request_queries.read_request(request.id)


@api.post(
    "/<gateway_request_id>/answers", GatewayRequestRead, rule="gateway_request.answer", errors={409: ErrorResponse}
)
async def answer_gateway_request(actor: Actor, request: GatewayRequest, data: QuestionAnswer) -> dict[str, object]:
    """Answer a question of a gateway with one of its options or in your own words. The first answer counts.

    Questions that a gateway asks together are sent together, once each has an answer.
    """
    await boardless.answer_request(actor, request, data.answer, data.option_id, data.substance)
    return await gateway_request_queries.read_request(request.id)
