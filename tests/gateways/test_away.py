"""A gateway that is not connected waits for who manages gateways, after two minutes, until it is back."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import system
from mission_control.database.sql import rows
from mission_control.events.wakeup_channels import PROCESS
from mission_control.gateways.connections import connector, link
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol import identity
from mission_control.gateways.queries import Report
from mission_control.needs import deadlines
from tests.cast import Cast
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import add_gateway, connected_gateway, state_of

A_MOMENT, LATER = timedelta(seconds=100), timedelta(seconds=130)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow each other quickly."""
    monkeypatch.setattr(link, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(link, "LONGEST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(link, "REFUSED_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(link, "SHORT_INTERRUPTION_SECONDS", 0.0)


async def waiting(cast: Cast, person: Any = None) -> list[dict[str, Any]]:
    """The needs of a person that are about gateways."""
    found: list[dict[str, Any]] = (await (person or cast.ben).get("/needs?kind=gateway")).ok()["items"]
    return found


async def test_gateway_that_is_down_waits_until_it_is_back(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    await Board.filter(id=cast.board.id).update(gateway_id=gateway.id)
    await Agent.filter(id=cast.vega.id).update(gateway_id=gateway.id)
    await fake_gateway.stop()
    await state_of(gateway.id, "unreachable")
    with times.travelled(A_MOMENT):
        assert await waiting(cast) == []
    with times.travelled(LATER):
        [need] = await waiting(cast)
        assert await waiting(cast, cast.cleo) == []
    assert need["title"] == "Gateway Basement cannot be reached" and "Nothing listens" in need["reason"]
    assert [one["text"] for one in need["facts"]] == ["1 agent cannot be reached"]
    assert [one["id"] for one in need["answers"]] == ["check"] and "out of reach" in need["otherwise"]["text"]
    await fake_gateway.start()
    await state_of(gateway.id, "connected", away_since=None)
    with times.travelled(LATER):
        assert await waiting(cast) == []


async def test_refused_token_names_the_command_and_is_calm_without_agents(
    cast: Cast, fake_gateway: FakeGateway
) -> None:
    gateway = await add_gateway(cast, fake_gateway, token=identity.sealed("not the token"))
    connector.HOLDING.wake()
    await state_of(gateway.id, "refused")
    with times.travelled(LATER):
        [need] = await waiting(cast)
    assert need["title"] == "Gateway Basement refuses the token" and need["url"] == f"/gateways/{gateway.id}/edit"
    assert need["answers"][0]["copy_text"] == "openclaw gateway auth-token --show"
    assert [one["text"] for one in need["facts"]] == ["no board uses it"]
    assert need["otherwise"]["text"].startswith("Nothing waits for it")


async def test_since_when_it_is_away_outlives_restarts_and_other_reasons(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await Gateway.create(
        organization_id=cast.organization.id, name="Basement", url="ws://gateway.invalid:1", workspace_root="~",
        state="connected", holder=PROCESS,
    )  # fmt: skip
    actor = system(cast.organization.id)
    assert await link.store_report(actor, gateway.id, Report("connecting", "closed_1006", "The connection was lost."))
    since = (await Gateway.get(id=gateway.id)).away_since
    assert since is not None
    with times.travelled(A_MOMENT):
        # Another process, or this one after a restart, finds the same; then something else.
        for found in (Report("unreachable", "refused", "Nothing listens."), Report("refused", "x", "No.")):
            assert await link.store_report(actor, gateway.id, found)
            assert (await Gateway.get(id=gateway.id)).away_since == since
    with times.travelled(LATER):
        [need] = await waiting(cast)
    assert need["since"] == times.wire(since)


async def test_readers_hear_when_two_minutes_are_over(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[dict[str, str]] = []

    async def publish(_organization_id: UUID, **signal: str) -> None:
        heard.append(signal)

    monkeypatch.setattr(deadlines, "publish_signal", publish)
    gateway = await Gateway.create(
        organization_id=cast.organization.id, name="Basement", url="ws://gateway.invalid:1", workspace_root="~",
        state="unreachable", away_since=times.clock_now(),
    )  # fmt: skip
    now = times.clock_now()
    await deadlines.notify_returns(now + timedelta(seconds=90), now + timedelta(seconds=105))
    assert heard == []
    await deadlines.notify_returns(now + timedelta(seconds=105), now + timedelta(seconds=121))
    assert heard == [{"gateway_id": str(gateway.id)}]
    await rows("UPDATE gateways SET state = 'connected', away_since = NULL")
    await deadlines.notify_returns(now + timedelta(seconds=105), now + timedelta(seconds=121))
    assert len(heard) == 1
