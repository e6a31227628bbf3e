"""Approvals that gateways ask for: in people's queue, decided here or there, and once only."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents.models import Agent
from mission_control.approvals.models import Approval
from mission_control.approvals.payloads import CHANNEL
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.events import wakeup_channels
from mission_control.events.leases import Delivery
from mission_control.gateway_agents.requests import answer_loop, intake
from mission_control.gateways.connections import connector, link
from mission_control.gateways.connections.events import GatewayRef
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.payload import Payload
from tests.cast import Cast, events, kinds
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import connected_gateway, until
from tests.mcp.clients import connected

COMMAND = "git push --force origin main"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow each other quickly."""
    monkeypatch.setattr(link, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(link, "LONGEST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(answer_loop, "RETRY_SECONDS", 0.05)


@pytest.fixture
async def gateway(cast: Cast, fake_gateway: FakeGateway) -> Gateway:
    """A gateway that the board and Vega are on."""
    found = await connected_gateway(cast, fake_gateway)
    await Agent.filter(id=cast.vega.id).update(gateway_id=found.id, gateway_agent_id="mc-vega")
    await Board.filter(id=cast.board.id).update(gateway_id=found.id)
    return found


async def asked(cast: Cast, fake: FakeGateway, command: str = COMMAND, **request: Any) -> dict[str, Any]:
    """Ask for an approval on the gateway, and return ours."""
    there = await fake.ask_approval(command, "mc-vega", **request)
    return await ours(cast, there["id"])


async def ours(cast: Cast, external_id: str, **fields: Any) -> dict[str, Any]:
    """Return our approval of one of a gateway as soon as it is so."""

    async def found() -> Approval | None:
        return await Approval.get_or_none(external_id=external_id, **fields)

    approval = await until(found)
    body: dict[str, Any] = (await cast.ada.get(f"{cast.approvals}/{approval.id}")).ok()
    return body


async def decide(cast: Cast, approval: dict[str, Any], **body: Any) -> Any:
    """Decide as Cleo."""
    return await cast.cleo.post(f"{cast.approvals}/{approval['id']}/decisions", body)


async def external_id_of(approval: dict[str, Any]) -> str:
    """Return the id on the gateway."""
    return str((await Approval.get(id=approval["id"])).external_id)


async def test_request_appears_once_with_all_facts(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    secret = cast.vega.secret
    analysis = {"riskKinds": ["network-access"], "warningLines": ["Rewrites history."]}
    found = await asked(cast, fake_gateway, f"curl -H 'X-Agent-Token: {secret}' example.org", commandAnalysis=analysis)
    request = found["payload"]["gateway_request"]
    assert (found["action_type"], found["status"], found["task_ids"]) == ("gateway.exec", "pending", [])
    assert found["agent_id"] == str(cast.vega.id) and found["gateway_id"] == str(gateway.id) and found["expires_at"]
    assert request["risk_kinds"] == ["network-access"] and request["warnings"] == ["Rewrites history."]
    assert request["cwd"] == "/home/claw/workspace" and request["allowed_decisions"] == ["allow-once", "deny"]
    assert secret not in str(found) and "mca_…" in request["command"]
    [event] = await events(kind="approval.requested")
    assert (event.actor_kind, event.actor_name) == ("agent", "Vega")
    ref = GatewayRef(gateway.id, gateway.organization_id)
    await intake.catch_up(ref)
    await intake.approval_requested("exec")(ref, Payload(fake_gateway.state.approvals[await external_id_of(found)]))
    assert await Approval.all().count() == 1


async def test_list_that_is_refused_is_asked_for_again(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PAUSES", (0.01, 0.01))
    await fake_gateway.stop()
    there = await fake_gateway.ask_approval(COMMAND, "mc-vega")
    fake_gateway.fail("exec.approval.list", "not now", times=1)
    await fake_gateway.start()
    assert (await ours(cast, there["id"]))["status"] == "pending"


async def test_gateway_fills_no_queue_without_end(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_PENDING", 2)
    kept = [await asked(cast, fake_gateway, f"make {number}") for number in range(2)]
    await fake_gateway.ask_approval("make 3", "mc-vega")
    (await decide(cast, kept[0], decision="approved")).ok()
    await asked(cast, fake_gateway, "make 4")
    assert await Approval.all().count() == 3


@pytest.mark.parametrize(("body", "there"), [
    ({"decision": "approved"}, "allow-once"),
    ({"decision": "rejected"}, "deny"),
    ({"decision": "changes_requested", "note": "Without --force."}, "deny"),
])  # fmt: skip
async def test_decision_answers_the_gateway(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, body: dict[str, str], there: str
) -> None:
    found = await asked(cast, fake_gateway)
    (await decide(cast, found, **body)).ok()
    external_id = await external_id_of(found)
    now = await ours(cast, external_id, answer_state="sent")
    assert fake_gateway.state.approvals[external_id]["decision"] == there
    assert now["decision"] == body["decision"] and now["resolved_by"]["name"] == "Cleo"
    told = await Delivery.filter(kind="agent.notice", header="APPROVAL RESOLVED")
    expected = [cast.vega.id] if "note" in body else []
    assert [one.agent_id for one in told] == expected, "the gateway tells its agent; only a note is ours"
    assert all(f"Run a command: {COMMAND}" in one.text and body["note"] in one.text for one in told)


async def test_always_is_sent_only_where_the_gateway_takes_it(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    once = await asked(cast, fake_gateway)
    assert "one time" in (await decide(cast, once, decision="approved", always=True)).refused(422)
    assert (await ours(cast, await external_id_of(once)))["status"] == "pending"
    often = await asked(cast, fake_gateway, allowedDecisions=["allow-once", "allow-always", "deny"])
    (await decide(cast, often, decision="approved", always=True)).ok()
    external_id = await external_id_of(often)
    await ours(cast, external_id, answer_state="sent")
    assert fake_gateway.state.approvals[external_id]["decision"] == "allow-always"
    (await decide(cast, await cast.ask(), decision="approved", always=True)).refused(422)


async def test_one_person_answers_a_gateway_unless_the_board_says_otherwise(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    (await cast.ada.patch(cast.home, {"approvals_needed": 2})).ok()
    alone = await asked(cast, fake_gateway)
    assert alone["approvals_needed"] == 1
    (await decide(cast, alone, decision="approved")).ok()
    (await cast.ada.patch(cast.home, {"programs_need_quorum": True})).ok()
    often = await asked(cast, fake_gateway, allowedDecisions=["allow-once", "allow-always", "deny"])
    external_id = await external_id_of(often)
    first = (await cast.ben.post(f"{cast.approvals}/{often['id']}/decisions", {"decision": "approved"})).ok()
    assert (first["status"], first["approvals_missing"], first["answer_state"]) == ("pending", 1, None)
    assert "decision" not in fake_gateway.state.approvals[external_id]
    (await decide(cast, often, decision="approved", always=True)).ok()
    await ours(cast, external_id, answer_state="sent")
    assert fake_gateway.state.approvals[external_id]["decision"] == "allow-once"  # not all said always
    once = await asked(cast, fake_gateway)
    assert "one time" in (await decide(cast, once, decision="approved", always=True)).refused(422)
    assert (await decide(cast, once, decision="rejected")).ok()["status"] == "rejected"


async def test_always_is_said_through_a_model(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    once = await asked(cast, fake_gateway)
    often = await asked(cast, fake_gateway, allowedDecisions=["allow-once", "allow-always", "deny"])
    async with connected(cast.cleo) as cleo:
        listed = {one["id"]: one["allows_always"] for one in (await cleo.ok("list_requests"))["requests"]}
        assert listed == {once["id"]: False, often["id"]: True}
        verdict = {"decision": "approved", "always": True}
        assert (await cleo.refused("decide_approval", approval_id=once["id"], **verdict))["status"] == 422
        await cleo.ok("decide_approval", approval_id=often["id"], **verdict)
    external_id = await external_id_of(often)
    await ours(cast, external_id, answer_state="sent")
    assert fake_gateway.state.approvals[external_id]["decision"] == "allow-always"


async def test_first_of_two_deciders_wins(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    found = await asked(cast, fake_gateway)
    path = f"{cast.approvals}/{found['id']}"
    both = await asyncio.gather(
        cast.cleo.post(f"{path}/decisions", {"decision": "approved"}),
        cast.ada.post(f"{path}/decisions", {"decision": "rejected"}),
    )
    assert sorted(one.status for one in both) == [200, 409]
    won = next(one.body for one in both if one.status == 200)
    external_id = await external_id_of(found)
    await ours(cast, external_id, answer_state="sent")
    there = fake_gateway.state.approvals[external_id]["decision"]
    assert there == {"approved": "allow-once", "rejected": "deny"}[won["status"]]
    assert "The gateway has its answer" in str((await cast.ada.patch(path, {"status": "pending"})).refused(409))
    (await cast.ada.patch(path, {"status": won["status"]})).ok()
    other = {"approved": "rejected", "rejected": "approved"}[won["status"]]
    (await cast.ada.patch(path, {"status": other})).refused(409)


async def test_decided_on_the_gateway_first(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    found = await asked(cast, fake_gateway)
    external_id = await external_id_of(found)
    fake_gateway.resolve_approval(external_id, "allow-once", by="telegram")
    now = await ours(cast, external_id, status="approved")
    assert now["resolved_by"] is None and now["resolved_by_name"] == "telegram on the gateway"
    assert "telegram" in str((await decide(cast, found, decision="rejected")).refused(409))
    approval = await Approval.get(id=found["id"])
    assert (approval.resolved_by_kind, approval.answer_state) == ("gateway", None)


async def test_answer_that_was_beaten_says_whose_counts(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    found = await asked(cast, fake_gateway)
    external_id = await external_id_of(found)
    fake_gateway.state.approvals[external_id] |= {"decision": "deny", "resolvedBy": "console"}  # we are not told yet
    (await decide(cast, found, decision="approved")).ok()
    now = await ours(cast, external_id, answer_state="late")
    assert (now["status"], now["decision"], now["resolved_by"]) == ("rejected", "rejected", None)
    assert "console" in now["resolved_by_name"] and "before our answer" in now["note"]
    assert "approval.ended_on_gateway" in [kind for kind, _ in await kinds(cast, 0)]


async def test_decision_waits_for_a_gateway_that_is_away(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    found = await asked(cast, fake_gateway)
    external_id = await external_id_of(found)
    await fake_gateway.stop()
    await until(lambda: gateway.id not in connector.held_here())
    answer = (await decide(cast, found, decision="approved")).ok()
    assert answer["answer_state"] == "waiting"
    await asyncio.sleep(0.2)
    assert (await Approval.get(id=found["id"])).answer_state == "waiting"
    await fake_gateway.start()
    await ours(cast, external_id, answer_state="sent")
    assert fake_gateway.state.approvals[external_id]["decision"] == "allow-once"


async def test_answer_that_was_told_before_a_crash_is_not_another(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    found = await asked(cast, fake_gateway)
    fake_gateway.break_off("approval.resolve", after=True)  # carried out, but we do not hear of it
    (await decide(cast, found, decision="approved")).ok()
    now = await ours(cast, await external_id_of(found), answer_state="sent")
    assert now["status"] == "approved" and now["resolved_by"]["name"] == "Cleo"
    assert "approval.ended_on_gateway" not in [kind for kind, _ in await kinds(cast, 0)]


async def test_refused_answer_is_tried_again(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    found = await asked(cast, fake_gateway)
    fake_gateway.fail("approval.resolve", "server is busy", code="UNAVAILABLE", times=2)
    (await decide(cast, found, decision="approved")).ok()
    await ours(cast, await external_id_of(found), answer_state="sent")


async def test_expired_on_the_gateway(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    found = await asked(cast, fake_gateway)
    external_id = await external_id_of(found)
    fake_gateway.expire_approval(external_id)
    now = await ours(cast, external_id, status="rejected")
    assert (now["note"], now["resolved_by_name"]) == ("Nobody decided before it expired.", "The gateway")


async def test_expires_while_the_gateway_is_away(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    found = await asked(cast, fake_gateway)
    await fake_gateway.stop()
    await until(lambda: gateway.id not in connector.held_here())
    with times.travelled(timedelta(minutes=30)):
        assert "expired" in str((await decide(cast, found, decision="approved")).refused(409))
    with times.travelled(timedelta(minutes=31)):
        wakeup_channels.channels_notify([CHANNEL])
        now = await ours(cast, await external_id_of(found), status="rejected")
    assert now["note"] == "Nobody decided before it expired."


async def test_answer_that_came_too_late_says_so(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    found = await asked(cast, fake_gateway)
    await fake_gateway.stop()
    await until(lambda: gateway.id not in connector.held_here())
    (await decide(cast, found, decision="approved")).ok()
    with times.travelled(timedelta(minutes=32)):
        wakeup_channels.channels_notify([CHANNEL])
        now = await ours(cast, await external_id_of(found), answer_state="late")
    assert now["status"] == "rejected" and "too late" in now["note"]


async def test_deleted_gateway_asks_for_nothing(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    found = await asked(cast, fake_gateway)
    external_id = await external_id_of(found)
    await Agent.filter(id=cast.vega.id).update(gateway_id=None, gateway_agent_id=None)
    await Board.filter(id=cast.board.id).update(gateway_id=None)
    await gateway.delete()
    wakeup_channels.channels_notify([CHANNEL])
    assert "any more" in (await ours(cast, external_id, status="rejected"))["note"]


async def test_what_happened_while_away_is_caught_up(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    here = [await asked(cast, fake_gateway, f"echo {number}") for number in range(3)]
    allowed, expired, gone = [await external_id_of(one) for one in here]
    await fake_gateway.stop()
    fake_gateway.state.approvals[allowed] |= {"decision": "allow-once", "resolvedBy": "console"}
    fake_gateway.state.approvals[expired]["expired"] = True
    del fake_gateway.state.approvals[gone]
    missed = await fake_gateway.ask_approval("echo missed", "mc-vega")
    await fake_gateway.start()
    assert (await ours(cast, missed["id"]))["status"] == "pending"
    assert (await ours(cast, allowed, status="approved"))["resolved_by"] is None
    assert (await ours(cast, expired, status="rejected"))["note"] == "Nobody decided before it expired."
    assert "any more" in (await ours(cast, gone, status="rejected"))["note"]


async def test_old_gateway_takes_the_older_method(cast: Cast) -> None:
    async with FakeGateway(is_old=True) as old:
        found = await connected_gateway(cast, old)
        await Agent.filter(id=cast.vega.id).update(gateway_id=found.id, gateway_agent_id="mc-vega")
        first, second = await asked(cast, old), await asked(cast, old)
        (await decide(cast, first, decision="approved")).ok()
        await ours(cast, await external_id_of(first), answer_state="sent")
        assert old.sent("exec.approval.resolve") == [{"id": await external_id_of(first), "decision": "allow-once"}]
        old.state.approvals[await external_id_of(second)] |= {"decision": "allow-once", "resolvedBy": "console"}
        (await decide(cast, second, decision="rejected")).ok()
        late = await ours(cast, await external_id_of(second), answer_state="late")
        assert late["status"] == "approved"


async def test_it_opens_no_gate_of_a_task(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    await cast.rule(require_approval_for_done=True, block_status_changes_with_pending_approval=True)
    task = await cast.add_task(assigned_agent_id=str(cast.vega.id))
    found = await asked(cast, fake_gateway)
    (await cast.ada.patch(cast.task(task), {"status": "review"})).ok()  # no pending approval of the task
    (await decide(cast, found, decision="approved")).ok()
    await ours(cast, await external_id_of(found), answer_state="sent")
    (await cast.ada.patch(cast.task(task), {"status": "done"})).refused(409)


async def test_agents_without_a_board_of_ours_stay_on_the_gateway(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    await fake_gateway.ask_approval("ls", "a-stranger")
    await asked(cast, fake_gateway)
    assert await Approval.all().count() == 1


async def test_odd_requests_break_nothing(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    for odd in ({}, {"id": 7}, {"id": "x", "request": []}, {"id": "y", "request": {"agentId": ["mc-vega"]}}):
        await fake_gateway.emit("exec.approval.requested", odd)
    found = await asked(cast, fake_gateway, "echo \0", cwd=None, allowedDecisions=None, commandAnalysis=7)
    assert found["payload"]["gateway_request"]["allowed_decisions"] == ["allow-once", "allow-always", "deny"]
    assert await Approval.all().count() == 1
