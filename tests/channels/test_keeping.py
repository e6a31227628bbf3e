"""Which organizations are looked at when something changes, and what is not forgotten when a look fails."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from mission_control.channels.delivery import planner
from mission_control.channels.delivery.content import _waiting
from mission_control.channels.delivery.plan import Person
from mission_control.channels.delivery.state import Reader, mornings_of, readers_of
from mission_control.channels.models import ReachMessage, ReachMessageNeed, ReachNeed
from mission_control.channels.preferences.commands import WAKES
from mission_control.core import times
from mission_control.events.wakeup_channels import channels_notify
from mission_control.gateway_agents.requests.models import GatewayRequest
from mission_control.gateways.models import Gateway
from mission_control.needs.kinds import AskedNeed
from mission_control.needs.lookup import how_it_ended
from mission_control.needs.polling import channel_of
from tests.cast import Cast
from tests.channels.conftest import After
from tests.channels.fake_channel import Chat
from tests.channels.test_core import asked
from tests.many_needs import COMMAND, _request, kinds_put

pytestmark = pytest.mark.dialect

look = planner.look


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The organizations that a look brings up to date, which it does not do."""
    found: list[UUID] = []

    async def note(organization_id: UUID) -> datetime | None:
        found.append(organization_id)
        return None

    monkeypatch.setattr(planner, "bring_up_to_date", note)
    monkeypatch.setattr(planner, "_state", planner._State())
    return found


def mail_is_sent(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    known = cast.app.config["SETTINGS"]
    monkeypatch.setitem(cast.app.config, "SETTINGS", replace(known, smtp_url="smtp://localhost:2525"))


async def test_need_lets_its_own_organization_alone_be_looked_at(
    cast: Cast, looked_at: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_is_sent(cast, monkeypatch)
    await look()
    assert {cast.organization.id, cast.elsewhere.id} <= set(looked_at)
    looked_at.clear()
    channels_notify([channel_of(cast.elsewhere.id)])
    await look()
    assert looked_at == [cast.elsewhere.id]
    channels_notify([WAKES])
    await look()
    assert {cast.organization.id, cast.elsewhere.id} <= set(looked_at[1:])


async def test_first_organization_is_found_without_another_start(
    cast: Cast, looked_at: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_is_sent(cast, monkeypatch)
    planner._state.all_changed = False  # a start that found none
    channels_notify([channel_of(cast.organization.id)])
    await look()
    assert cast.organization.id in looked_at


async def test_what_a_look_that_failed_had_to_do_is_done_by_the_next(
    cast: Cast, looked_at: list[UUID], monkeypatch: pytest.MonkeyPatch, chat: Chat
) -> None:
    await chat.link(cast.ada.id, "ada")
    find = planner._reached

    async def fail() -> dict[UUID, int]:
        raise ConnectionError("the database is away")

    monkeypatch.setattr(planner, "_reached", fail)
    with pytest.raises(ConnectionError):
        await look()
    monkeypatch.setattr(planner, "_reached", find)
    await look()
    assert looked_at == [cast.organization.id]


async def test_one_person_is_read_as_among_all(cast: Cast, chat: Chat) -> None:
    await chat.link(cast.ada.id, "ada")
    await chat.link(cast.ben.id, "ben")
    await chat.link_team(cast.board.id, "#ops")
    everybody = await readers_of(cast.organization.id)
    [ada] = await readers_of(cast.organization.id, only=cast.ada.id)
    assert len(everybody) == 3
    assert ada == next(one for one in everybody if one.id == cast.ada.id)


async def test_morning_after_a_clock_is_put_forward_has_its_digest_in_time(cast: Cast) -> None:
    person = Person(zone=ZoneInfo("Europe/Zurich"))
    reader = Reader(cast.ada.id, cast.ada.id, person, wants_mornings=True)
    for now in ("2026-03-29T06:00", "2026-10-25T07:00", "2026-06-01T06:00"):  # eight o'clock there
        moment = datetime.fromisoformat(now)
        assert await mornings_of(cast.organization.id, [reader], moment) == {cast.ada.id: moment}
        assert await mornings_of(cast.organization.id, [reader], moment - timedelta(minutes=1)) == {}
        assert await mornings_of(cast.organization.id, [reader], moment + timedelta(hours=2)) == {}


async def test_morning_after_an_absence_has_its_digest(cast: Cast) -> None:
    now = datetime.fromisoformat("2026-06-02T06:10")
    person = Person(zone=ZoneInfo("Europe/Zurich"), away_until=datetime.fromisoformat("2026-06-01T10:00"))
    reader = Reader(cast.ada.id, cast.ada.id, person, wants_mornings=True)
    due = datetime.fromisoformat("2026-06-02T06:00")
    assert await mornings_of(cast.organization.id, [reader], now) == {cast.ada.id: due}
    with times.travelled(due - times.clock_now()):
        await ReachMessage.create(
            organization_id=cast.organization.id, user_id=cast.ada.id, kind="mail", why="digest", title="1 thing waits"
        )
    assert await mornings_of(cast.organization.id, [reader], now) == {}


async def test_task_that_waits_for_two_reasons_hides_nothing_else_of_a_message(cast: Cast) -> None:
    past = times.wire(times.clock_now() - timedelta(hours=1))
    more: dict[str, Any] = {"status": "review", "due_at": past, "assigned_user_id": str(cast.ada.id)}
    tasks = [UUID((await cast.add_task(title=title, **more))["id"]) for title in ("One", "Two")]
    parts = [
        ReachMessageNeed(kind=kind, subject_id=task) for kind, task in zip(("review", "overdue"), tasks, strict=True)
    ]
    async with cast.app.app_context():
        found = await _waiting(await cast.ada.actor(), parts)
    assert {f"review:{tasks[0]}", f"overdue:{tasks[1]}"} <= found.keys()


async def test_need_of_every_kind_ends_in_words_when_it_is_deleted(cast: Cast) -> None:
    found = {kind: await how_it_ended(AskedNeed(kind, uuid4(), None, None), with_age=False) for kind in kinds_put()}
    assert all(found.values())


async def test_gateway_that_is_removed_with_what_it_asked_holds_up_nothing(
    cast: Cast, chat: Chat, after: After
) -> None:
    await chat.link(cast.ada.id, "ada")
    gateway = await Gateway.create(
        organization_id=cast.organization.id, name="Attic", url="ws://nobody.invalid", workspace_root="~"
    )
    await GatewayRequest.create(
        organization_id=cast.organization.id, gateway_id=gateway.id, kind="approval", external_id="r1",
        gateway_agent_id="main", agent_name="Main", action_type="gateway.exec", payload={"gateway_request": COMMAND},
    )  # fmt: skip
    await after(30)
    assert await ReachNeed.filter(kind="request").count() == 1
    await gateway.delete()
    await asked(cast)
    await after(120)
    assert not await ReachNeed.filter(kind="request").exists()
    assert len(chat.channel.messages("ada")) == 2


async def test_request_of_a_gateway_is_said_beyond_the_first_two_hundred_and_ends_without_an_age(cast: Cast) -> None:
    here: dict[str, Any] = {"organization_id": cast.organization.id}
    gateway = await Gateway.create(**here, name="Attic", url="ws://nobody.invalid", workspace_root="~")
    await GatewayRequest.bulk_create([_request(cast.board, gateway, one) for one in range(201)])
    last = await GatewayRequest.all().order_by("-created_at", "-id").first()
    assert last is not None
    need = (await cast.ada.get(f"/needs/request:{last.id}")).ok()
    assert need["title"]
    await GatewayRequest.filter(id=last.id).update(
        status="approved", resolved_by_user_id=cast.ada.id, resolved_at=times.clock_now()
    )
    asked_of_admins = AskedNeed("request", last.id, None, None)
    assert await how_it_ended(asked_of_admins, with_age=False) == "Ada approved this."
    assert (await how_it_ended(asked_of_admins)).startswith("Ada approved this ")
