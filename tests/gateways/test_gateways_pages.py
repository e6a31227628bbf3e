"""Gateways as pages: the list, a new one, its connection as it changes, and deleting it."""

import re

import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.gateways.connections import link
from mission_control.gateways.models import Gateway
from tests.cast import Cast
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import add_gateway, connected_gateway, state_of
from tests.visitor import Seen, Visitor, visitor

CLOSED = "ws://127.0.0.1:9"


def form_of(fake: FakeGateway, **more: str) -> dict[str, str]:
    """What somebody types."""
    return {"name": "Basement", "url": fake.url, "token": fake.token, "workspace_root": "~/.openclaw", **more}


async def shown(ada: Visitor, gateway: Gateway, part: str = "") -> Seen:
    """The gateway's page."""
    return (await ada.get(f"/gateways/{gateway.id}{part}")).is_status(200)


async def test_empty_list_says_what_a_gateway_is(cast: Cast) -> None:
    ada, cleo = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.cleo)
    (await ada.get("/gateways")).is_status(200).has("No gateways yet", "Add a gateway")
    (await cleo.get("/gateways")).is_status(403)


async def test_added_gateway_shows_its_connection(cast: Cast, fake_gateway: FakeGateway) -> None:
    ada, eve = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.eve)
    assert (await ada.post("/gateways/new", form_of(fake_gateway))).leads_to.startswith("/gateways/")
    gateway = await Gateway.get()
    (await shown(ada, gateway)).has("Basement", "Connected", "OpenClaw 2026.9.6", "operator.admin").lacks("Try again")
    assert fake_gateway.token not in (await shown(ada, gateway, "/edit")).text
    (await ada.get("/gateways")).has("Basement", "Connected")
    (await eve.get(f"/gateways/{gateway.id}")).is_status(404)


async def test_refused_gateway_keeps_what_was_typed_and_marks_the_field(cast: Cast, fake_gateway: FakeGateway) -> None:
    ada = await visitor(cast.app, cast.ada)
    seen = (await ada.post("/gateways/new", form_of(fake_gateway, token="wrong"))).is_status(422)
    seen.has('value="Basement"', 'id="field-token-error"', "refuses the token").lacks("wrong")
    seen = (await ada.post("/gateways/new", form_of(fake_gateway, url="http://x"))).is_status(422)
    seen.has('id="field-url-error"', "ws:// or wss://")
    assert not await Gateway.exists()


async def test_pairing_is_shown_with_its_command_and_ends_by_itself(
    cast: Cast, fake_gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "PAIRING_POLL_SECONDS", 0.05)
    fake_gateway.needs_pairing = True
    ada = await visitor(cast.app, cast.ada)
    await ada.post("/gateways/new", form_of(fake_gateway))
    gateway = await state_of((await Gateway.get()).id, "pairing")
    (device,) = fake_gateway.state.devices.values()
    seen = await shown(ada, gateway)
    seen.has(f"openclaw devices approve {device.request_id}", device.device_id, "data-copy", "Waiting for pairing")
    [live] = re.findall(r'"(/gateways/[^"]+/live[^"]+)"', seen.text)
    async with ada.watching(live.replace("&amp;", "&")) as watch:
        fake_gateway.approve()
        assert "openclaw devices approve" not in (await watch.until("Connected")).rpartition("Connected")[2]


async def test_unreachable_gateway_says_why_and_is_tried_again(cast: Cast, fake_gateway: FakeGateway) -> None:
    ada = await visitor(cast.app, cast.ada)
    await fake_gateway.stop()
    await ada.post("/gateways/new", form_of(fake_gateway))
    gateway = await state_of((await Gateway.get()).id, "unreachable")
    (await shown(ada, gateway)).has("Unreachable", "Nothing listens", "Try again")
    await fake_gateway.start()
    await ada.post(f"/gateways/{gateway.id}/checks")
    (await shown(ada, gateway)).has("Connected").lacks("Nothing listens")


async def test_missing_rights_are_listed(cast: Cast, fake_gateway: FakeGateway) -> None:
    ada = await visitor(cast.app, cast.ada)
    fake_gateway.granted_scopes = ["operator.read"]
    await ada.post("/gateways/new", form_of(fake_gateway))
    gateway = await state_of((await Gateway.get()).id, "refused")
    (await shown(ada, gateway)).has("Refused", "Missing: operator.write, operator.admin, operator.approvals")


async def test_edit_keeps_the_token_and_refuses_a_stale_form(cast: Cast, fake_gateway: FakeGateway) -> None:
    ada = await visitor(cast.app, cast.ada)
    gateway = await connected_gateway(cast, fake_gateway)
    seen = await shown(ada, gateway, "/edit")
    [version] = re.findall(r'name="version" value="([^"]*)"', seen.text)
    typed = form_of(fake_gateway, token="", name="Attic", version=version.replace("&amp;", "&"))
    assert (await ada.post(f"/gateways/{gateway.id}/edit", typed)).leads_to == f"/gateways/{gateway.id}"
    changed = await Gateway.get(id=gateway.id)
    assert (changed.name, changed.token) == ("Attic", gateway.token) and len(fake_gateway.connects) == 1
    (await ada.post(f"/gateways/{gateway.id}/edit", typed | {"name": "Cellar"})).is_status(409).has("Somebody changed")


async def test_deletion_names_the_boards_and_wants_the_name(cast: Cast, fake_gateway: FakeGateway) -> None:
    ada = await visitor(cast.app, cast.ada)
    gateway = await add_gateway(cast, fake_gateway, url=CLOSED)
    await Board.filter(id=cast.board.id).update(gateway_id=gateway.id)
    (await shown(ada, gateway, "/delete")).has("1 board stays without a gateway", cast.board.name)
    (await ada.post(f"/gateways/{gateway.id}/deletions", {"name": "x"})).is_status(422).has("exactly")
    assert (await ada.post(f"/gateways/{gateway.id}/deletions", {"name": "Basement"})).leads_to == "/gateways"
    assert (await Board.get(id=cast.board.id)).gateway_id is None and not await Gateway.exists()


async def test_deletion_says_what_stays_there_and_how_to_remove_it(cast: Cast, fake_gateway: FakeGateway) -> None:
    ada = await visitor(cast.app, cast.ada)
    gateway = await add_gateway(cast, fake_gateway, url=CLOSED)
    for page in (f"/gateways/{gateway.id}/delete", "/settings/organization/deletion"):
        (await ada.get(page)).lacks("openclaw agents delete", "linked agent")
    for agent, key, is_adopted in (
        (cast.vega, "vega", False),
        (cast.atlas, "at las", False),
        (cast.rigel, "own", True),
    ):
        there = {"gateway_id": gateway.id, "gateway_agent_id": key, "is_adopted": is_adopted}
        await Agent.filter(id=agent.id).update(**there)
    for page in (f"/gateways/{gateway.id}/delete", "/settings/organization/deletion"):
        seen = (await ada.get(page)).has("2 agents stay", "openclaw agents delete vega --force", "1 linked agent stays")
        seen.has("agents delete &#39;at las&#39; --force").lacks("delete own")
    (await ada.with_htmx.get(f"/gateways/{gateway.id}/delete")).has("openclaw agents delete vega --force")
    eve = await visitor(cast.app, cast.eve)
    (await eve.get("/settings/organization/deletion")).lacks("openclaw agents delete")
    assert (await ada.post(f"/gateways/{gateway.id}/deletions", {"name": "Basement"})).leads_to == "/gateways"


async def test_tab_of_a_feature_leads_to_its_page(cast: Cast, fake_gateway: FakeGateway) -> None:
    ada = await visitor(cast.app, cast.ada)
    gateway = await connected_gateway(cast, fake_gateway)
    (await shown(ada, gateway)).has(f'href="/gateways/{gateway.id}/sessions"')
    (await shown(ada, gateway, "/sessions")).has("Sessions")


async def test_unknown_tab_is_not_found(cast: Cast, fake_gateway: FakeGateway) -> None:
    ada = await visitor(cast.app, cast.ada)
    gateway = await add_gateway(cast, fake_gateway)
    (await ada.get(f"/gateways/{gateway.id}/nothing")).is_status(404)
