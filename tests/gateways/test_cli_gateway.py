"""`mission-control gateway check`, used at a shell."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.gateways.fake import FakeGateway
from tests.live.servers import Installation, installation

pytestmark = pytest.mark.database

UNUSED = "ws://127.0.0.1:1"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Installation]:
    async with installation(tmp_path) as made:
        yield made


async def checked(home: Installation, gateway: FakeGateway, *options: str, **more: str) -> tuple[int | None, Any]:
    given = {"OPENCLAW_GATEWAY_TOKEN": gateway.token, **more}
    code, printed = await home.run("gateway", "check", gateway.url, "--json", *options, **given)
    return code, orjson.loads(printed)


async def test_pairing_is_asked_for_once_and_then_all_is_well(home: Installation, fake_gateway: FakeGateway) -> None:
    fake_gateway.needs_pairing = True
    code, report = await checked(home, fake_gateway)
    (device,) = fake_gateway.state.devices.values()
    assert (code, report["state"], report["device_id"]) == (3, "pairing", device.device_id)
    assert report["command"] == f"openclaw devices approve {device.request_id}"
    fake_gateway.approve()
    code, report = await checked(home, fake_gateway)
    assert (code, report["state"], report["has_passing_identity"]) == (0, "ok", False)
    assert list(fake_gateway.state.devices) == [report["device_id"]]


async def test_people_read_what_to_do(home: Installation, fake_gateway: FakeGateway, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("a-wrong-token\n")
    code, printed = await home.run("gateway", "check", fake_gateway.url, "--token-file", str(file))
    assert code == 1 and "PROBLEM  Token:" in printed and "openclaw gateway auth-token --show" in printed
    file.write_text(f"{fake_gateway.token}\n")
    code, printed = await home.run("gateway", "check", fake_gateway.url, "--token-file", str(file))
    assert code == 0 and "ok       Version: 2026.9.6" in printed and "PROBLEM" not in printed
    assert fake_gateway.token not in printed


async def test_exit_codes_of_what_cannot_be_reached_and_of_no_url(home: Installation) -> None:
    code, printed = await home.run("gateway", "check", UNUSED, OPENCLAW_GATEWAY_TOKEN="x")
    assert code == 4 and "Nothing listens" in printed
    code, printed = await home.run("gateway", "check", "http://127.0.0.1")
    assert code == 2 and "begins with ws:// or wss://" in printed


async def test_without_a_database_a_passing_identity_is_used(tmp_path: Path, fake_gateway: FakeGateway) -> None:
    bare = Installation(tmp_path, f"sqlite:///{tmp_path}/none.sqlite3")
    code, report = await checked(bare, fake_gateway)
    assert (code, report["state"], report["has_passing_identity"]) == (0, "ok", True)
    assert not (tmp_path / "none.sqlite3").exists()
