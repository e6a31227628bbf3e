"""An agent's inbox: what it gives, when it waits, and that nothing is acknowledged twice or lost."""

import asyncio
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from mission_control.agents.models import Agent
from mission_control.agents.notices import NOTICES
from mission_control.core import times
from mission_control.core.actor import RULES
from mission_control.events import wakeup_channels
from mission_control.events.commands import command
from mission_control.events.leases import Delivery
from mission_control.events.unit_of_work import deliver
from mission_control.people.models import Token
from tests.cast import Answer, Cast, Program, events, head
from tests.contract.source import calls, texts, trees
from tests.statements import counted

pytestmark = pytest.mark.dialect

INBOX = "/agent/inbox"


async def assigned(cast: Cast, count: int = 1, to: Program | None = None) -> list[dict[str, Any]]:
    """Tasks that were given to Vega, or to somebody else, who has a notice of each."""
    who = to or cast.vega
    return [await cast.add_task(title=f"Task {n}", assigned_agent_id=who.id) for n in range(count)]


async def read(agent: Program, after: int = 0, **query: Any) -> dict[str, Any]:
    """What the inbox answers."""
    words = "".join(f"&{name}={value}" for name, value in query.items())
    found: dict[str, Any] = (await agent.get(f"{INBOX}?after={after}{words}")).ok()
    return found


async def polling(agent: Program, after: int = 0, seconds: int = 50) -> "asyncio.Task[Answer]":
    """A poll of the agent that waits."""
    before = wakeup_channels.channels_waiting(f"inbox:{agent.id}")
    poll = asyncio.create_task(agent.get(f"{INBOX}?after={after}&wait_seconds={seconds}"))
    async with asyncio.timeout(40):
        while wakeup_channels.channels_waiting(f"inbox:{agent.id}") == before and not poll.done():
            await asyncio.sleep(0.001)
    return poll


async def woken(poll: "asyncio.Task[Answer]") -> dict[str, Any]:
    """The answer of a poll that must not wait for its time to be over."""
    async with asyncio.timeout(40):
        body: dict[str, Any] = (await poll).ok()
        return body


async def test_notices_are_ordered_and_have_a_kind(cast: Cast) -> None:
    [task] = await assigned(cast)
    (await cast.cleo.post(f"{cast.task(task)}/comments", {"message": "@vega look up"})).ok()
    (await cast.cleo.post(f"{cast.task(task)}/comments", {"message": "Clouds."})).ok()
    body = await read(cast.vega)
    assert [one["kind"] for one in body["items"]] == ["task_assigned", "mention", "comment"]
    numbers = [one["seq"] for one in body["items"]]
    assert numbers == sorted(set(numbers)) and body["next"] == numbers[-1]
    first = body["items"][0]
    stored = await Delivery.get(id=first["id"])
    assert first == {
        "seq": stored.seq,
        "id": str(stored.id),
        "kind": "task_assigned",
        "header": "TASK ASSIGNED",
        "text": stored.text,
        "task_id": task["id"],
        "board_id": str(cast.board.id),
        "data": {},
        "created_at": times.wire(stored.created_at),
    }


async def test_notice_data_holds_no_internal_fields(cast: Cast) -> None:
    approval = await cast.ask(cast.vega)
    (await cast.cleo.patch(f"{cast.approvals}/{approval['id']}", {"status": "approved"})).ok()
    [item] = (await read(cast.vega))["items"]
    assert (item["kind"], item["header"]) == ("decision", "APPROVAL RESOLVED")
    assert item["data"] == {"approval_id": approval["id"], "decision": "approved"}


async def test_unacknowledged_notices_are_returned_again(cast: Cast) -> None:
    await assigned(cast, 3)
    first = await read(cast.vega)
    assert await read(cast.vega) == first and len(first["items"]) == 3
    rest = await read(cast.vega, first["items"][0]["seq"])
    assert rest["items"] == first["items"][1:]
    assert await read(cast.vega) == rest  # a restart: only what was not acknowledged


async def test_pages_do_not_overlap(cast: Cast) -> None:
    await assigned(cast, 5)
    whole, after, seen = (await read(cast.vega))["items"], 0, []
    while (body := await read(cast.vega, after, limit=2))["items"]:
        assert len(body["items"]) <= 2
        seen += body["items"]
        after = body["next"]
    assert seen == whole
    assert body == {"items": [], "next": after}


async def test_acknowledgement_is_recorded_once(cast: Cast) -> None:
    await assigned(cast, 2)
    upto = (await read(cast.vega))["next"]
    before = await head(cast)
    for _ in range(3):
        assert await read(cast.vega, upto) == {"items": [], "next": upto}
    found = await events(before, organization_id=cast.organization.id)
    assert [(one.kind, one.actor_id, one.agent_id) for one in found] == [
        ("task.assignee_notified", cast.vega.id, cast.vega.id)
    ] * 2
    rows = await Delivery.filter(agent_id=cast.vega.id)
    assert {(one.state, one.attempts, one.leased_by) for one in rows} == {("sent", 0, None)}
    assert all(one.sent_at for one in rows)


async def test_notices_without_an_event_record_none(cast: Cast) -> None:
    (await cast.cleo.post(f"{cast.home}/memory", {"content": "@vega hello", "tags": ["chat"]})).ok()
    body = await read(cast.vega)
    assert [one["kind"] for one in body["items"]] == ["chat_mention"]
    before = await head(cast)
    await read(cast.vega, body["next"])
    assert await events(before) == [] and (await read(cast.vega))["items"] == []


async def test_empty_acknowledgement_writes_nothing(cast: Cast) -> None:
    await assigned(cast, 2)
    upto = (await read(cast.vega))["next"]
    await read(cast.vega, upto)
    with counted() as found:
        await read(cast.vega, upto)
    assert len(found) == 3 and not [text for text in found if "UPDATE" in text or "INSERT" in text], found
    with counted() as found:
        await read(cast.vega)
    assert len(found) == 2, found


async def test_concurrent_acknowledgements_count_once(cast: Cast) -> None:
    await assigned(cast, 10)
    upto, before = (await read(cast.vega))["next"], await head(cast)
    answers = await asyncio.gather(*(cast.vega.get(f"{INBOX}?after={upto}") for _ in range(8)))
    assert all(one.ok() == {"items": [], "next": upto} for one in answers)
    kinds = [one.kind for one in await events(before, organization_id=cast.organization.id)]
    assert kinds == ["task.assignee_notified"] * 10


async def test_sending_and_failed_notices_are_in_the_inbox(cast: Cast) -> None:
    await assigned(cast, 3)
    sending, failed, _ = await Delivery.filter(agent_id=cast.vega.id).order_by("seq")
    await Delivery.filter(id=sending.id).update(state="sending", leased_by="one", leased_until=times.clock_now())
    await Delivery.filter(id=failed.id).update(state="failed")
    body = await read(cast.vega)
    assert len(body["items"]) == 3
    await read(cast.vega, body["next"])
    assert await Delivery.filter(agent_id=cast.vega.id, state="sent").count() == 3


async def test_acknowledging_a_future_number_is_refused(cast: Cast) -> None:
    await assigned(cast)
    upto = (await read(cast.vega))["next"]
    detail = (await cast.vega.get(f"{INBOX}?after={upto + 1000}")).refused(422)
    assert (detail["code"], detail["newest"]) == ("after_unknown", upto)
    assert len((await read(cast.vega))["items"]) == 1


async def test_inbox_belongs_to_its_agent(cast: Cast) -> None:
    await assigned(cast)
    for agent in (cast.rigel, cast.mira, cast.nova):
        assert (await read(agent))["items"] == []
    upto = (await read(cast.vega))["next"]
    await read(cast.rigel, upto)  # a number of the same organization; it acknowledges nothing of Vega's
    assert len((await read(cast.vega))["items"]) == 1
    for caller in (cast.nobody, cast.ada):
        (await caller.get(INBOX)).refused(401)


async def test_gateway_agents_read_their_inbox(cast: Cast) -> None:
    await Agent.filter(id=cast.vega.id).update(gateway_id=uuid4(), openclaw_session_id="agent:vega")
    await assigned(cast)
    assert [one["kind"] for one in (await read(cast.vega))["items"]] == ["task_assigned"]


async def test_read_only_token_cannot_acknowledge(cast: Cast) -> None:
    await assigned(cast)
    made = (await cast.ada.post(f"/agents/{cast.vega.id}/tokens", {"scopes": ["read"]})).ok()
    onlooker = Program(cast.app, {"X-Agent-Token": made["token"]}, cast.vega.id, "Vega", made["token"])
    upto = (await read(onlooker))["next"]
    assert await read(onlooker, upto) == {"items": [], "next": upto}
    assert len((await read(cast.vega))["items"]) == 1


async def test_notice_wakes_a_poll(cast: Cast) -> None:
    poll = await polling(cast.vega)
    assert not poll.done()
    await assigned(cast)
    assert [one["kind"] for one in (await woken(poll))["items"]] == ["task_assigned"]


async def test_poll_with_notices_answers_at_once(cast: Cast) -> None:
    await assigned(cast)
    assert len((await woken(await polling(cast.vega)))["items"]) == 1


async def test_poll_times_out_empty(cast: Cast) -> None:
    assert await read(cast.vega, wait_seconds=1) == {"items": [], "next": 0}
    assert wakeup_channels.channels_waiting(f"inbox:{cast.vega.id}") == 0


async def test_concurrent_polls_get_the_same_notices(cast: Cast) -> None:
    first, second = await polling(cast.vega), await polling(cast.vega)
    await assigned(cast)
    one, other = await woken(first), await woken(second)
    assert one == other and len(one["items"]) == 1
    third, fourth = await polling(cast.vega, one["next"]), await polling(cast.vega, one["next"])
    await assigned(cast, 2)
    seen = [*(await woken(third))["items"], *(await read(cast.vega))["items"]]
    await woken(fourth)
    assert {item["seq"] for item in seen} == {item["seq"] for item in (await read(cast.vega))["items"]}


async def test_poll_acknowledges_before_waiting(cast: Cast) -> None:
    await assigned(cast)
    poll = await polling(cast.vega, (await read(cast.vega))["next"])
    assert (await read(cast.vega))["items"] == []
    poll.cancel()


async def test_disconnected_poll_leaves_no_waiter(cast: Cast) -> None:
    poll = await polling(cast.vega)
    poll.cancel()
    await asyncio.gather(poll, return_exceptions=True)
    async with asyncio.timeout(40):
        while wakeup_channels.channels_waiting(f"inbox:{cast.vega.id}"):
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(("method", "tail"), [("POST", "/tokens"), ("DELETE", "")], ids=["token ends", "agent deleted"])
async def test_waiting_poll_ends_with_its_token_and_its_agent(cast: Cast, method: str, tail: str) -> None:
    poll = await polling(cast.vega)
    (await cast.ada.call(method, f"/agents/{cast.vega.id}{tail}", {"overlap_seconds": 0} if tail else ...)).ok()
    (await asyncio.wait_for(poll, 20)).refused(401)


async def test_waiting_poll_survives_token_replacement_with_overlap(cast: Cast) -> None:
    poll = await polling(cast.vega)
    (await cast.ada.post(f"/agents/{cast.vega.id}/tokens", {"overlap_seconds": 600})).ok()
    await assigned(cast)
    assert len((await woken(poll))["items"]) == 1


async def test_expired_token_gets_no_notices(cast: Cast) -> None:
    poll = await polling(cast.vega, seconds=2)
    await Token.filter(agent_id=cast.vega.id).update(expires_at=times.clock_now())
    await assigned(cast)
    assert (await woken(poll)) == {"items": [], "next": 0}


async def test_old_notices_never_expire(cast: Cast) -> None:
    await assigned(cast)
    with times.travelled(timedelta(days=400)):
        made = (await cast.ada.post(f"/agents/{cast.vega.id}/tokens", {})).ok()
        later = Program(cast.app, {"X-Agent-Token": made["token"]}, cast.vega.id, "Vega", made["token"])
        assert len((await read(later))["items"]) == 1


async def test_unknown_subject_is_a_message(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "test.tell", lambda actor, thing: True)

    @command("test.tell")
    async def tell(actor: Any) -> None:
        deliver("agent.notice", cast.board.scope(), agent_id=cast.vega.id, header="ODD", text="x", deliver=True)
        deliver("agent.errand", cast.board.scope(), agent_id=cast.vega.id, header="ODD", text="not for the inbox")

    await tell(await cast.ada.actor())
    [item] = (await read(cast.vega))["items"]
    assert (item["kind"], item["data"]) == ("message", {"deliver": True})


# Lines inside of what these modules write, which are no subjects.
LINES_OF_TEXTS = {"WEBHOOK PAYLOAD RECEIVED"}


def test_every_subject_has_a_kind() -> None:
    """Every token in a module that delivers notices, from its text constants."""
    token = re.compile(r"[A-Z]+( [A-Z]+:?){1,5}|/(pause|resume)")
    found = {
        text
        for name, tree in trees()
        if any(calls(tree, "deliver")) and name != "commands.unit_of_work"
        for text in texts(tree)
        if token.fullmatch(text)
    }
    assert len(found) > 10
    assert {text for text in found if text not in NOTICES} == LINES_OF_TEXTS
    assert len(set(NOTICES.values())) == len(NOTICES)
