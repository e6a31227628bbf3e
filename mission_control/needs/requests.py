"""What gateways ask for agents that are on no board; for admins."""

from typing import Any
from uuid import UUID

from mission_control.gateway_requests.boardless import locked_request
from mission_control.gateway_requests.queries import PendingRequest, parts_of_requests, pending_requests
from mission_control.needs.kinds import Key, NeedKind, Page, Seeker
from mission_control.needs.saying import answer, fact, in_one_line, need, operation
from mission_control.needs.schemas import Need, NeedAnswer, NeedOtherwise, NeedParty

KEYS = {"approved": "A", "always": "1", "rejected": "R"}
WORDS = ("answer", "Your answer", True)
MORE = ("answer", "Anything to add?", False)


def find(seeker: Seeker) -> tuple[str, list[Any]] | None:
    """Find pending requests, for those who may answer them."""
    if not seeker.is_admin:
        return None
    return (
        "SELECT 'request' AS kind, r.id AS id, r.created_at AS since, CAST(NULL AS UUID) AS board_id,"
        " CAST(NULL AS UUID) AS owner_id, r.expires_at AS act_by, CAST(r.created_at AS TEXT) AS version"
        " FROM gateway_requests r WHERE r.organization_id = ? AND r.status = 'pending'",
        [seeker.organization_id],
    )


async def say(page: Page) -> list[Need]:
    """Say what each gateway asks."""
    requests = {one.id: one for one in await pending_requests(page.actor)}
    return [_need(page, key, requests[key.id]) for key in page.keys if key.id in requests]


def _need(page: Page, key: Key, request: PendingRequest) -> Need:
    is_approval = request.kind == "approval"
    return need(
        page,
        key,
        title=f"{'Approve' if is_approval else f'{request.agent_name} asks'}: {request.heading}",
        reason=None if is_approval else in_one_line(request.text),
        url=request.url,
        facts=[fact("bot", request.agent_name), fact("plug-zap", request.gateway_name)],
        answers=_decisions(request) if is_approval else _options(request),
        otherwise=NeedOtherwise(at=request.expires_at, text=request.if_ignored),
        agent=NeedParty(id=request.agent_id, name=request.agent_name),
    )


def _decisions(request: PendingRequest) -> list[NeedAnswer]:
    ids = {"gateway_request_id": request.id}
    found = []
    for one in request.answers:
        always = {"always": True} if one.value == "always" else {}
        body = {"decision": "rejected" if one.value == "rejected" else "approved", **always}
        performs = operation("decide_gateway_request", ids, body)
        found.append(
            answer(
                one.value,
                KEYS[one.value],
                one.label,
                one.outcome,
                performs,
                course="stop" if one.value == "rejected" else "go",
                recommended=one.value == "approved",
            )
        )
    return found


def _options(request: PendingRequest) -> list[NeedAnswer]:
    ids, more = {"gateway_request_id": request.id}, MORE if request.allows_text else None
    goes_on = f"{request.agent_name} goes on with this."
    answers = [
        answer(
            f"option:{one.value}",
            str(number),
            one.label,
            one.outcome or goes_on,
            operation("answer_gateway_request", ids, {"option_id": one.value}, more),
            note=more,
            recommended=one.is_recommended,
        )
        for number, one in enumerate(request.answers, start=1)
    ]
    if request.allows_text:
        label = "Answer in your own words" if answers else "Answer"
        words = operation("answer_gateway_request", ids, {}, WORDS)
        answers.append(answer("words", "A", label, goes_on, words, note=WORDS))
    return answers


async def hold(request_id: UUID) -> None:
    """Lock a request."""
    await locked_request(request_id)


KIND = NeedKind("request", "answer", find, say, parts_of_requests, ("gateway.request.",), is_for_admins=True, hold=hold)
