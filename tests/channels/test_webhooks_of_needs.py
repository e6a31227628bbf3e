"""Outgoing webhooks are told what begins to wait, and how it ended."""

from datetime import timedelta
from uuid import UUID

from mission_control.channels.models import Device
from mission_control.core import times
from mission_control.database.sql import as_json, rows
from tests.cast import Cast
from tests.channels.conftest import After
from tests.channels.fake_channel import Chat
from tests.channels.test_core import asked
from tests.many_needs import put_needs
from tests.statements import counted


async def test_webhooks_get_what_waits_and_how_it_ended(cast: Cast, chat: Chat, after: After) -> None:
    body = {"url": "https://hooks.example.org/x", "kinds": ["need.*"], "description": "Needs"}
    assert (await cast.ada.post("/outgoing-webhooks", body)).status == 200
    approval = await asked(cast)
    await after(5)
    await cast.ben.patch(f"{cast.home}/approvals/{approval['id']}", {"status": "approved"})
    await after(10)
    found = [as_json(row["data"]) for row in await rows("SELECT data FROM outgoing_deliveries ORDER BY created_at, id")]
    assert [one["need"] for one in found] == [f"approval:{approval['id']}"] * 2
    opened, ended = found
    assert opened["title"] and opened["substance"] and opened["board"]["name"] == cast.board.name
    assert ended["outcome"] == "approved" and ended["by"]["name"] == cast.ben.name and ended["through"] == "api"


async def test_needs_of_another_board_are_in_no_webhook_of_a_board(cast: Cast, chat: Chat, after: After) -> None:
    body = {"url": "https://hooks.example.org/x", "kinds": ["need.*"], "description": "Needs"}
    for board in (cast.board, cast.other_board):
        assert (await cast.ada.post("/outgoing-webhooks", body | {"board_id": str(board.id)})).status == 200
    approval = await asked(cast)
    await after(5)
    await cast.ben.patch(f"{cast.home}/approvals/{approval['id']}", {"status": "approved"})
    await after(10)
    sql = "SELECT w.board_id FROM outgoing_deliveries d JOIN outgoing_webhooks w ON w.id = d.webhook_id"
    assert [str(row["board_id"]) for row in await rows(sql)] == [str(cast.board.id)] * 2


async def test_needs_of_one_person_alone_are_in_no_webhook(cast: Cast, chat: Chat, after: After) -> None:
    body = {"url": "https://hooks.example.org/x", "kinds": ["need.*"], "description": "Needs"}
    assert (await cast.ada.post("/outgoing-webhooks", body)).status == 200
    device = await chat.link(cast.ben.id, "ben")
    since = times.clock_now() - timedelta(hours=1)
    await Device.filter(id=device.id).update(last_error="This phone is off.", failed_at=since)
    assert (await cast.ben.get("/needs?kind=device")).ok()["total"] == 1
    await after(5)
    await Device.filter(id=device.id).update(last_error=None, failed_at=None)
    await after(10)
    assert await rows("SELECT data FROM outgoing_deliveries") == []


async def test_first_webhook_is_told_of_many_needs_by_few_statements(cast: Cast, chat: Chat, after: After) -> None:
    await put_needs(cast.board, cast.ada.id, 120)
    body = {"url": "https://hooks.example.org/x", "kinds": ["need.opened"], "description": "Needs"}
    hook = (await cast.ada.post("/outgoing-webhooks", body)).ok()
    with counted() as found:
        await after(5)
    reads = [one for one in found if one.startswith("WITH mine")]
    told = [as_json(row["data"]) for row in await rows(_TOLD, UUID(hook["id"]))]
    assert len(told) > 80 and len({one["need"] for one in told}) == len(told)
    assert len(reads) < len(told)


_TOLD = "SELECT data FROM outgoing_deliveries WHERE webhook_id = ?"
