"""Webhooks of a board: creating, reading, changing, rotating and deleting them; rights and events."""

from typing import Any

import orjson
import pytest

from mission_control.core.secrets import decrypt
from mission_control.events.leases import Delivery
from mission_control.memory.models import BoardMemory
from mission_control.webhooks.incoming import commands as webhooks
from mission_control.webhooks.models import Webhook, WebhookPayload
from tests.cast import NO_ID, Cast, events, head, kinds

pytestmark = pytest.mark.dialect

KEYS = [
    "id", "board_id", "agent_id", "description", "enabled", "has_secret", "signature_header", "forge", "repository",
    "endpoint_path", "endpoint_url", "created_at", "updated_at", "warning", "secret",
]  # fmt: skip
NEW = {"description": "Deployments of the dome"}


@pytest.fixture(autouse=True)
def no_calls_yet() -> None:
    webhooks.calls.clear()


async def made(cast: Cast, **fields: Any) -> tuple[str, dict[str, Any]]:
    """Create a webhook as Cleo. Return its path and the answer."""
    webhook: dict[str, Any] = (await cast.cleo.post(f"{cast.home}/webhooks", NEW | fields)).ok()
    return f"{cast.home}/webhooks/{webhook['id']}", webhook


async def test_secret_is_never_returned_after_creation(cast: Cast) -> None:
    before = await head(cast)
    fields = {"agent_id": str(cast.vega.id), "secret": "hush hush", "signature_header": " X-Dome-Signature "}
    path, webhook = await made(cast, **fields)
    assert list(webhook) == KEYS
    assert webhook["endpoint_path"] == f"/api/v1{path}"
    assert webhook["endpoint_url"] == f"http://localhost/api/v1{path}"
    assert (webhook["has_secret"], webhook["warning"], webhook["enabled"]) == (True, None, True)
    assert (webhook["signature_header"], webhook["agent_id"]) == ("X-Dome-Signature", str(cast.vega.id))
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id, str(event.subject_id)) == ("webhook.created", cast.cleo.id, webhook["id"])
    stored = await Webhook.get(id=webhook["id"])
    assert "hush" not in str(stored.secret) and "hush" not in event.data
    assert decrypt(str(stored.secret), cast.app.config["SECRET_KEY"]) == "hush hush"
    assert (await cast.dan.get(path)).ok() == webhook


async def test_webhook_without_a_secret_has_a_warning(cast: Cast) -> None:
    for secret in ({"secret": None}, {"secret": "  "}):
        path, webhook = await made(cast, **secret)
        assert (webhook["has_secret"], webhook["secret"]) == (False, None) and "Set a secret" in webhook["warning"]
        assert (await cast.ada.get(path)).ok()["warning"] == webhook["warning"]


async def test_webhook_gets_a_secret_that_is_returned_once(cast: Cast) -> None:
    path, webhook = await made(cast)
    assert webhook["has_secret"] is True and len(webhook["secret"]) >= 47
    assert "until the first one that is signed" in webhook["warning"]
    assert (await cast.cleo.get(path)).ok() == webhook | {"secret": None}
    assert (await cast.cleo.get(f"{cast.home}/webhooks")).ok()["items"] == [webhook | {"secret": None}]
    rotated = (await cast.cleo.post(f"{path}/secret-rotations")).ok()
    assert rotated["secret"] != webhook["secret"] and (await cast.cleo.get(path)).ok()["warning"] is None


@pytest.mark.parametrize(("change", "loc"), [
    ({"description": " "}, "description"),
    ({"description": None}, "description"),
    ({"enabled": None}, "enabled"),
    ({"signature_header": "X Dome"}, "signature_header"),
    ({"signature_header": "X-Dome:"}, "signature_header"),
    ({"signature_header": "X" * 256}, "signature_header"),
    ({"agent_id": "vega"}, "agent_id"),
    ({"secret": 5}, "secret"),
])  # fmt: skip
async def test_invalid_webhook_is_refused(cast: Cast, change: dict[str, Any], loc: str) -> None:
    path, _ = await made(cast)
    for answer in (await cast.ada.post(f"{cast.home}/webhooks", NEW | change), await cast.ada.patch(path, change)):
        [item] = answer.refused(422)
        assert item["loc"] == ["body", loc]


async def test_agent_must_belong_to_the_board(cast: Cast) -> None:
    path, _ = await made(cast)
    for stranger in (cast.mira.id, cast.nova.id, NO_ID):
        agent = {"agent_id": str(stranger)}
        assert isinstance((await cast.ada.post(f"{cast.home}/webhooks", NEW | agent)).refused(422), str)
        assert isinstance((await cast.ada.patch(path, agent)).refused(422), str)


async def test_webhooks_are_listed_newest_first_by_board(cast: Cast) -> None:
    (await cast.ada.post(f"/boards/{cast.other_board.id}/webhooks", NEW)).ok()
    made_ids = [(await made(cast))[1]["id"] for _ in range(3)]
    listed = (await cast.dan.get(f"{cast.home}/webhooks?limit=2")).ok()
    assert [one["id"] for one in listed["items"]] == made_ids[:0:-1]
    assert (listed["total"], listed["limit"], listed["offset"]) == (3, 2, 0)


async def test_webhook_is_changed(cast: Cast) -> None:
    path, webhook = await made(cast, agent_id=str(cast.vega.id), secret="one", signature_header="X-Dome")
    before = await head(cast)
    same = {"description": webhook["description"], "secret": "one", "agent_id": webhook["agent_id"]}
    assert (await cast.cleo.patch(path, {})).ok() == webhook
    assert (await cast.cleo.patch(path, same)).ok() == webhook
    assert await kinds(cast, before) == []
    assert (await cast.cleo.patch(path, {"secret": "two"})).ok()["has_secret"] is True
    cleared = {"agent_id": None, "secret": None, "signature_header": None, "enabled": False}
    changed = (await cast.cleo.patch(path, cleared)).ok()
    assert {name: changed[name] for name in ("agent_id", "signature_header", "enabled", "has_secret")} == {
        "agent_id": None, "signature_header": None, "enabled": False, "has_secret": False,
    }  # fmt: skip
    rotated, cleared_event = await events(before, organization_id=cast.organization.id)
    assert orjson.loads(rotated.data) == {"before": {}, "after": {}, "has_new_secret": True}
    data = orjson.loads(cleared_event.data)
    assert (cleared_event.kind, data["after"]["has_secret"], data["before"]["signature_header"]) == (
        "webhook.updated", False, "X-Dome",
    )  # fmt: skip


async def test_new_secret_is_returned_once(cast: Cast) -> None:
    path, webhook = await made(cast)
    before = await head(cast)
    answer = (await cast.cleo.post(f"{path}/secret-rotations")).ok()
    assert list(answer) == ["webhook_id", "secret"] and len(answer["secret"]) == 52
    assert await kinds(cast, before) == [("webhook.secret_rotated", None)]
    assert (await cast.ada.get(path)).ok()["has_secret"] is True
    stored = await Webhook.get(id=webhook["id"])
    assert decrypt(str(stored.secret), cast.app.config["SECRET_KEY"]) == answer["secret"]


async def test_deleting_a_webhook_drops_deliveries_and_keeps_memory(cast: Cast) -> None:
    path, _ = await made(cast)
    kept, _ = await made(cast)
    for one in (path, kept):
        assert (await cast.nobody.post(one, {"n": 1})).status == 202
    before = await head(cast)
    assert (await cast.cleo.delete(path)).ok() == {"ok": True}
    assert (await cast.cleo.delete(path)).refused(404) == "Not Found"
    assert await kinds(cast, before) == [("webhook.deleted", None)]
    assert await BoardMemory.filter(board_id=cast.board.id).count() == 2
    assert (await WebhookPayload.all().count(), await Delivery.filter(header="WEBHOOK EVENT RECEIVED").count()) == (
        1,
        1,
    )


async def test_webhook_is_found_only_on_its_board(cast: Cast) -> None:
    _, webhook = await made(cast)
    elsewhere = f"/boards/{cast.other_board.id}/webhooks/{webhook['id']}"
    assert (await cast.nobody.post(elsewhere, {})).refused(404) == "Not Found"
