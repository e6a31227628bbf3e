"""Callbacks, where agents' notices are sent: setting and removing them, rights, invalid addresses."""

from typing import Any

import orjson
import pytest

from mission_control.agents.models import Agent
from mission_control.core.secrets import decrypt
from tests.cast import Cast, events, head

SECRET = "a secret of sixteen characters"


def path(cast: Cast) -> str:
    return f"/agents/{cast.vega.id}/callback"


async def test_setting_a_callback_returns_the_secret_once(cast: Cast) -> None:
    before = await head(cast)
    made = (await cast.ben.call("PUT", path(cast), {"url": " https://agent.example.org/a?key=1 "})).ok()
    assert made.pop("secret").startswith("whsec_")
    shown = {"url": "https://agent.example.org/a?key=1", "last_success_at": None, "last_error": None}
    assert made == {**shown, "waiting": 0, "failed": 0}
    assert (await cast.ada.get(path(cast))).ok() == made
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id, event.agent_id) == ("agent.callback_set", cast.ben.id, cast.vega.id)
    assert orjson.loads(event.data) == {"before": None, "host": "agent.example.org"}


async def test_callback_secret_is_encrypted_at_rest(cast: Cast) -> None:
    made = (await cast.ada.call("PUT", path(cast), {"url": "https://a.example.org", "secret": SECRET})).ok()
    assert made["secret"] == SECRET
    kept = str((await Agent.get(id=cast.vega.id)).callback_secret)
    assert SECRET not in kept and decrypt(kept, cast.app.config["SECRET_KEY"]) == SECRET


async def test_setting_the_same_callback_is_a_no_op(cast: Cast) -> None:
    body = {"url": "https://a.example.org", "secret": SECRET}
    (await cast.ada.call("PUT", path(cast), body)).ok()
    before = await head(cast)
    assert (await cast.ada.call("PUT", path(cast), body)).ok()["secret"] == SECRET
    assert await events(before) == []
    changed = (await cast.ada.call("PUT", path(cast), {"url": body["url"]})).ok()
    assert changed["secret"] != SECRET
    assert [one.kind for one in await events(before)] == ["agent.callback_set"]


async def test_removing_a_callback(cast: Cast) -> None:
    (await cast.ada.call("PUT", path(cast), {"url": "https://a.example.org"})).ok()
    before = await head(cast)
    for _ in range(2):
        assert (await cast.ada.delete(path(cast))).ok() == {"ok": True}
    [event] = await events(before)
    assert (event.kind, orjson.loads(event.data)) == (
        "agent.callback_removed", {"host": "a.example.org", "is_gone": False},
    )  # fmt: skip
    assert (await cast.ada.get(path(cast))).ok()["url"] is None
    agent = await Agent.get(id=cast.vega.id)
    assert (agent.callback_url, agent.callback_secret) == (None, None)


@pytest.mark.parametrize("body", [
    {},
    {"url": ""},
    {"url": "ftp://example.org"},
    {"url": "example.org/hook"},
    {"url": "https://"},
    {"url": "https://user:pw@example.org"},
    {"url": "https://example.org:99999"},
    {"url": "https://exa\u2028mple.org/"},
    {"url": "https://[::1"},
    {"url": f"https://example.org/{'x' * 2000}"},
    {"url": "https://example.org", "secret": "short"},
    {"url": "https://example.org", "secret": "whsec_not-base64-at-all!"},
    {"url": "https://example.org", "secret": "whsec_dG9vIHNob3J0"},
    {"url": "http://127.0.0.1:8080/"},
    {"url": "http://[::1]/"},
    {"url": "http://169.254.169.254/latest"},
    {"url": "http://10.0.0.1/"},
    {"url": "http://0x7f.1/"},
])  # fmt: skip
async def test_invalid_callbacks_are_refused(cast: Cast, body: dict[str, Any]) -> None:
    (await cast.ada.call("PUT", path(cast), body)).refused(422)
    assert (await Agent.get(id=cast.vega.id)).callback_url is None
