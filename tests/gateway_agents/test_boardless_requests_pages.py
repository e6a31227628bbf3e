"""Pages with what gateways ask for agents that are on no board: the queue, the gateway's tab, one by itself."""

from datetime import UTC, timedelta
from typing import Any

from mission_control.gateway_agents.requests.intake import bring_in_approval, bring_in_questions
from mission_control.gateway_agents.requests.models import GatewayRequest
from mission_control.gateway_agents.requests.reading import Ended, read_approval, read_question
from mission_control.gateway_agents.requests.settling import end_approval
from mission_control.gateways.connections.events import GatewayRef
from tests.agents_on_gateways import add_gateway
from tests.cast import Cast, stamp
from tests.visitor import visitor

OPTIONS = [{"label": "Staging (Recommended)", "description": "Safe."}, {"label": "Production"}]


async def a_gateway(cast: Cast) -> GatewayRef:
    """A gateway that nobody holds."""
    gateway = await add_gateway(cast.organization.id, cast.board, holder=None, state="unreachable")
    return GatewayRef(gateway.id, cast.organization.id)


async def ask(gateway: GatewayRef, command: str = "rm -rf build", **request: Any) -> GatewayRequest:
    """An approval for an agent that we do not know."""
    soon = int((stamp(10) + timedelta(seconds=30)).replace(tzinfo=UTC).timestamp() * 1000)
    said = {
        "command": command,
        "cwd": "/srv",
        "agentId": "scout",
        "allowedDecisions": ["allow-once", "deny"],
        **request,
    }
    asked = read_approval("exec", {"id": f"there-{command}", "request": said, "expiresAtMs": soon})
    assert asked is not None
    assert await bring_in_approval(gateway, asked)
    return await GatewayRequest.get(external_id=asked.external_id)


async def ask_question(gateway: GatewayRef) -> GatewayRequest:
    """A question of an agent that we do not know."""
    item = {"questionId": "target", "question": "Where to?", "options": OPTIONS, "isOther": True}
    asked = read_question({"id": "q", "agentId": "scout", "questions": [item]})
    assert asked is not None
    assert await bring_in_questions(gateway, asked)
    return await GatewayRequest.get(kind="question")


async def test_queue_and_tab_show_what_waits(cast: Cast) -> None:
    gateway = await a_gateway(cast)
    await ask(gateway, commandAnalysis={"riskKinds": ["shell-expansion"], "warningLines": ["Deletes files."]})
    await ask_question(gateway)
    ada, cleo = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.cleo)
    for page in ("/approvals", f"/gateways/{gateway.id}/requests"):
        seen = (await ada.get(page)).is_status(200)
        seen.has("Run a command: rm -rf build", "scout", "Deletes files.", "in 10 min", "Reject", "Where to?", "Safe.")
        seen.lacks('name="always"', "(Recommended)")
    (await ada.get("/approvals")).has("data-queue-count>2<")
    (await ada.get(f"/boards/{cast.board.id}/approvals")).lacks("rm -rf build")
    (await ada.get(f"/approvals?board={cast.board.id}")).lacks("rm -rf build")
    (await cleo.get("/approvals")).lacks("rm -rf build", "Where to?")
    (await cleo.get(f"/gateways/{gateway.id}/requests")).is_status(404)
    (await ada.get("/activity")).has("a question of scout").lacks("rm -rf build")


async def test_decision_by_form_says_that_it_waits_and_is_final(cast: Cast) -> None:
    request = await ask(await a_gateway(cast))
    ada = await visitor(cast.app, cast.ada)
    url = f"/gateways/requests/{request.id}"
    decided = await ada.with_htmx.post(f"{url}/decisions", {"decision": "approved"})
    assert "approved" in str(decided.is_status(204).headers)
    (await ada.get(url)).has("Ada approved", "The gateway does not have this answer yet.").lacks('value="rejected"')
    late = await ada.with_htmx.post(f"{url}/decisions", {"decision": "rejected"})
    late.is_status(409).has("Ada approved this already.")
    (await ada.post(f"{url}/decisions", {"decision": "perhaps"})).is_status(422)
    (await ada.get(f"/gateways/{request.gateway_id}/requests")).has("Settled", "Nothing waits here")


async def test_answer_that_is_invalid_or_late_comes_back(cast: Cast) -> None:
    question = await ask_question(await a_gateway(cast))
    ada, ben = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.ben)
    url = f"/gateways/requests/{question.id}"
    (await ada.with_htmx.post(f"{url}/answers", {"answer": " "})).is_status(422).has("Fill this in.")
    (await ada.post(f"{url}/answers", {"option": "2"})).is_status(303)
    late = (await ben.post(f"{url}/answers", {"answer": "On the moon"})).is_status(409)
    late.has("Ada answered this already.", "You wrote: <q>On the moon</q>", "Production", "What was asked")


async def test_pages_follow_what_happens(cast: Cast) -> None:
    gateway = await a_gateway(cast)
    request = await ask(gateway)
    ada = await visitor(cast.app, cast.ada)
    async with (
        ada.watching("/approvals/live") as queue,
        ada.watching(f"/gateways/{gateway.id}/live?tab=requests") as tab,
        ada.watching(f"/gateways/requests/{request.id}/live") as one,
    ):
        await ask(gateway, "make clean")
        await queue.until("Run a command: make clean")
        await tab.until("Run a command: make clean")
        ended = Ended("allowed", "allow-once", "telegram")
        await end_approval(request, ended)
        await one.until("telegram on the gateway approved")
