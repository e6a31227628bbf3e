"""The queue with what gateways ask: commands, expiry, and answers on their way."""

from datetime import UTC, timedelta
from typing import Any

from mission_control.agents.models import Agent
from mission_control.approvals.models import Approval
from mission_control.core.actor import system
from mission_control.gateway_agents.requests.calls import asker_of
from mission_control.gateway_agents.requests.intake import keep_approval, keep_questions
from mission_control.gateway_agents.requests.reading import read_approval, read_question
from mission_control.gateways.connections.events import GatewayRef
from tests.agents_on_gateways import add_gateway
from tests.cast import Cast, stamp
from tests.visitor import visitor

ONCE = ["allow-once", "deny"]


def soon() -> int:
    """Ten minutes from now, as gateways say it."""
    return int((stamp(10) + timedelta(seconds=30)).replace(tzinfo=UTC).timestamp() * 1000)


async def of_gateway(cast: Cast) -> GatewayRef:
    """A gateway that Vega is on, which nobody holds."""
    gateway = await add_gateway(cast.organization.id, cast.board, holder=None, state="unreachable")
    await Agent.filter(id=cast.vega.id).update(gateway_id=gateway.id, gateway_agent_id="mc-vega")
    return GatewayRef(gateway.id, cast.organization.id)


async def ask(cast: Cast, gateway: GatewayRef, **request: Any) -> Approval:
    """An approval that the gateway asks for."""
    said = {
        "command": "rm -rf build\necho <done>",
        "cwd": "/srv/site",
        "agentId": "mc-vega",
        "allowedDecisions": ONCE,
        **request,
    }
    asked = read_approval("exec", {"id": "there", "request": said, "expiresAtMs": soon()})
    asker = await asker_of(gateway, "mc-vega")
    assert asked is not None and asker is not None
    await keep_approval(system(gateway.organization_id), gateway, asker, asked)
    return await Approval.get(external_id="there")


async def test_command_is_shown_with_its_risks_and_expiry(cast: Cast) -> None:
    gateway = await of_gateway(cast)
    analysis = {"riskKinds": ["shell-expansion"], "warningLines": ["Deletes files."]}
    await ask(cast, gateway, commandAnalysis=analysis)
    ada = await visitor(cast.app, cast.ada)
    for page in ("/approvals", f"/boards/{cast.board.id}/approvals"):
        seen = (await ada.get(page)).is_status(200)
        seen.has("Run a command: rm -rf build …", "<code>rm -rf build\necho &lt;done&gt;</code>", "/srv/site")
        seen.has("Shell expansion", "Deletes files.", "expires", "in 10 min", "The command runs once")
        seen.lacks('name="always"', "Confidence")


async def test_decision_is_final_and_says_that_it_waits(cast: Cast) -> None:
    approval = await ask(cast, await of_gateway(cast))
    cleo = await visitor(cast.app, cast.cleo)
    to = f"/boards/{cast.board.id}/approvals/{approval.id}"
    decided = (await cleo.with_htmx.post(f"{to}/decisions", {"decision": "approved", "from": "row"})).is_status(204)
    assert "reopenings" not in str(decided.headers) and "approved" in str(decided.headers)
    (await cleo.get(to)).has("The gateway does not have this answer yet.", "Cleo approved").lacks("Re-open")
    (await cleo.get("/approvals")).lacks("Re-open")
    (await cleo.post(f"{to}/reopenings")).is_status(409)


async def test_always_is_offered_and_counts_only_with_approving(cast: Cast) -> None:
    approval = await ask(cast, await of_gateway(cast), allowedDecisions=["allow-once", "allow-always", "deny"])
    cleo = await visitor(cast.app, cast.cleo)
    to = f"/boards/{cast.board.id}/approvals/{approval.id}"
    (await cleo.get(to)).has('name="always"', "Always, without asking again")
    form = {"decision": "rejected", "always": "true", "from": "row"}
    (await cleo.with_htmx.post(f"{to}/decisions", form)).is_status(204)
    assert (await Approval.get(id=approval.id)).answer == "deny"


async def test_question_shows_options_and_expiry(cast: Cast) -> None:
    gateway = await of_gateway(cast)
    options = [{"label": "Staging (Recommended)"}, {"label": "Production"}]
    item = {"questionId": "target", "question": "Where to?", "options": options}
    asked = read_question({"id": "q", "agentId": "mc-vega", "questions": [item], "expiresAtMs": soon()})
    asker = await asker_of(gateway, "mc-vega")
    assert asked is not None and asker is not None
    await keep_questions(system(gateway.organization_id), gateway, asker, asked)
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.get("/approvals")).has("Where to?", "Staging", "Recommended", "in 10 min").lacks("(Recommended)")
