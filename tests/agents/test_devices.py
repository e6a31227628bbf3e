"""Terminals are signed in by a code: RFC 8628 with an OAuth library of somebody else as the client."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents.device_sign_in.commands import ALPHABET
from mission_control.agents.device_sign_in.endpoints import CLIENT_ID, GRANT
from mission_control.agents.models import Agent, Connection, DeviceCode
from mission_control.core import times
from mission_control.core.values import fingerprint
from mission_control.people.models import Token
from tests.cast import Cast, events, head
from tests.devices import ABOUT, approve, ask, connected, post
from tests.visitor import visitor

pytestmark = pytest.mark.dialect


async def later(user_code: str, seconds: float) -> None:
    """Let a terminal have asked, and polled, some seconds earlier than it did."""
    code = await DeviceCode.get(user_code=user_code.replace("-", ""))
    code.expires_at -= timedelta(seconds=seconds)
    code.polled_at = code.polled_at and code.polled_at - timedelta(seconds=seconds)
    await code.save(update_fields=["expires_at", "polled_at"])


async def test_terminal_asks_for_codes_as_the_rfc_says(cast: Cast) -> None:
    status, body, headers = await post(cast.app, "/oauth/device_authorization", {"client_id": CLIENT_ID, **ABOUT})
    assert status == 200 and headers["Cache-Control"] == "no-store" and headers["Content-Type"] == "application/json"
    assert set(body) == {
        *("device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval")
    }
    assert (body["expires_in"], body["interval"]) == (600, 5)
    assert body["verification_uri"].endswith("/device")
    assert body["verification_uri_complete"] == f"{body['verification_uri']}?user_code={body['user_code']}"
    left, _, right = body["user_code"].partition("-")
    assert len(left) == len(right) == 4 and set(left + right) <= set(ALPHABET)
    assert not set(ALPHABET) & set("AEIOU01")
    code = await DeviceCode.get()
    assert code.fingerprint == fingerprint(body["device_code"])
    assert body["device_code"] not in str(vars(code))


async def test_approved_terminal_gets_a_token_once(cast: Cast) -> None:
    before = await head(cast)
    terminal = await ask(cast.app)
    assert await terminal.refusal() == "authorization_pending"
    (await approve(cast, cast.ada, terminal)).is_status(303)
    assert await Token.filter(connection_id__isnull=False).count() == 0  # no secret is stored before it is fetched
    program, made = await terminal.program()
    assert (made["token_type"], made["scope"], made["expires_in"]) == ("Bearer", "connect work", 90 * 24 * 3600)
    assert made["board"]["id"] == str(cast.board.id) or made["board"]["id"] == str(cast.other_board.id)
    assert made["agent"]["name"] == "Claude Code (Ada)"
    me = (await program.get("/agent/healthz")).ok()
    assert me["agent_id"] == made["agent"]["id"] and me["scopes"] == ["connect", "read", "work"]
    connection = await Connection.get(id=made["connection_id"])
    assert (connection.user_id, connection.client, connection.host_label) == (cast.ada.id, "claude-code", "mara-laptop")
    [event] = await events(before, kind="agent.connected")
    assert event.actor_id == cast.ada.id and str(event.agent_id) == made["agent"]["id"]
    [created] = await events(before, kind="agent.created")
    assert created.actor_id == cast.ada.id
    assert await terminal.refusal() == "invalid_grant"


async def test_two_polls_at_once_mint_one_token(cast: Cast) -> None:
    terminal = await ask(cast.app)
    (await approve(cast, cast.ada, terminal)).is_status(303)
    found = await asyncio.gather(*(terminal.token() for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, dict) for one in found) == 1
    assert {getattr(one, "error", "token") for one in found} == {"token", "invalid_grant"}
    assert await Token.filter(connection_id__isnull=False).count() == await Connection.all().count() == 1


async def test_refused_terminal_gets_nothing(cast: Cast) -> None:
    terminal = await ask(cast.app)
    browser = await visitor(cast.app, cast.ada)
    (await browser.post("/device/refusals", {"user_code": terminal.user_code})).is_status(303)
    assert await terminal.refusal() == "access_denied"
    assert await Connection.all().count() == 0
    (await browser.post("/device/approvals", {"user_code": terminal.user_code, "agent": "x"})).is_status(422)


async def test_terminal_that_polls_too_often_has_to_slow_down(cast: Cast) -> None:
    terminal = await ask(cast.app)
    assert await terminal.refusal() == "authorization_pending"
    assert await terminal.refusal() == "slow_down"
    await later(terminal.user_code, 6)  # 10 seconds from now on
    assert await terminal.refusal() == "slow_down"
    await later(terminal.user_code, 16)
    assert await terminal.refusal() == "authorization_pending"


async def test_expired_code_is_worth_nothing(cast: Cast) -> None:
    terminal = await ask(cast.app)
    await later(terminal.user_code, 601)
    assert await terminal.refusal() == "expired_token"
    browser = await visitor(cast.app, cast.ada)
    (await browser.get(f"/device?user_code={terminal.user_code}")).has("This code has expired")
    sent = {"user_code": terminal.user_code, "agent": f"{cast.board.id}:new"}
    (await browser.post("/device/approvals", sent)).is_status(409).has("expired")


async def test_approval_that_is_not_fetched_in_time_ends(cast: Cast) -> None:
    terminal = await ask(cast.app)
    (await approve(cast, cast.ada, terminal)).is_status(303)
    await later(terminal.user_code, 601)
    assert await terminal.refusal() == "expired_token"
    assert await Agent.filter(name="Claude Code (Ada)").count() == 0


REFUSALS: list[tuple[str, dict[str, str], int, str]] = [
    ("/oauth/device_authorization", {}, 400, "invalid_request"),
    ("/oauth/device_authorization", {"client_id": "somebody"}, 401, "invalid_client"),
    ("/oauth/device_authorization", {"client_id": CLIENT_ID, "scope": "admin"}, 400, "invalid_scope"),
    ("/oauth/device_authorization", {"client_id": CLIENT_ID, "client": "nonsense"}, 400, "invalid_request"),
    ("/oauth/token", {"client_id": CLIENT_ID, "device_code": "x"}, 400, "invalid_request"),
    ("/oauth/token", {"grant_type": GRANT, "device_code": "x"}, 400, "invalid_request"),
    ("/oauth/token", {"client_id": CLIENT_ID, "grant_type": GRANT}, 400, "invalid_request"),
    ("/oauth/token", {"client_id": "x", "grant_type": GRANT, "device_code": "x"}, 401, "invalid_client"),
    ("/oauth/token", {"client_id": CLIENT_ID, "grant_type": "password"}, 400, "unsupported_grant_type"),
    ("/oauth/token", {"client_id": CLIENT_ID, "grant_type": GRANT, "device_code": "x"}, 400, "invalid_grant"),
]


@pytest.mark.once
@pytest.mark.parametrize(("path", "form", "status", "error"), REFUSALS)
async def test_refusals_are_those_of_oauth(
    cast: Cast, path: str, form: dict[str, str], status: int, error: str
) -> None:
    found, body, headers = await post(cast.app, path, form)
    assert (found, body["error"], set(body)) == (status, error, {"error", "error_description"})
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.once
async def test_field_that_is_sent_twice_is_refused(cast: Cast) -> None:
    twice = f"client_id={CLIENT_ID}&client_id={CLIENT_ID}"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    client = cast.app.test_client(use_cookies=False)
    answer = await client.post("/oauth/device_authorization", data=twice, headers=kind)
    assert (answer.status_code, (await answer.get_json())["error"]) == (400, "invalid_request")


@pytest.mark.once
async def test_terminals_of_one_address_are_limited(cast: Cast) -> None:
    for _ in range(20):
        await ask(cast.app)
    status, body, headers = await post(cast.app, "/oauth/device_authorization", {"client_id": CLIENT_ID})
    assert (status, body["error"]) == (429, "slow_down") and int(headers["Retry-After"]) > 0


@pytest.mark.once
async def test_guessing_of_device_codes_is_limited(cast: Cast) -> None:
    form = {"client_id": CLIENT_ID, "grant_type": GRANT, "device_code": "x"}
    found = [(await post(cast.app, "/oauth/token", form))[0] for _ in range(21)]
    assert found == [400] * 20 + [429]


@pytest.mark.once
async def test_guessing_of_user_codes_is_limited(cast: Cast) -> None:
    terminal = await ask(cast.app)
    browser = await visitor(cast.app, cast.dan)
    found = [(await browser.get("/device?user_code=BCDF-GHJK")).status for _ in range(11)]
    assert found == [200] * 10 + [429]
    (await browser.get(f"/device?user_code={terminal.user_code}")).is_status(429)
    (await (await visitor(cast.app, cast.ada)).get(f"/device?user_code={terminal.user_code}")).is_status(200)


async def test_old_codes_are_deleted_when_others_ask(cast: Cast) -> None:
    terminal = await ask(cast.app)
    await later(terminal.user_code, 600 + 3601)
    await ask(cast.app)
    assert await DeviceCode.all().count() == 1


async def change(cast: Cast, how: str) -> None:
    """Take away what an approval needs."""
    members = "/organizations/me/members"
    found = (await cast.ada.get(members)).ok()["items"]
    cleo = next(one for one in found if one["user_id"] == str(cast.cleo.id))
    if how == "removed":
        (await cast.ada.delete(f"{members}/{cleo['id']}")).ok()
    elif how == "reads only":
        access = [{"board_id": str(cast.board.id), "can_read": True, "can_write": False}]
        (await cast.ada.call("PUT", f"{members}/{cleo['id']}/access", {"board_access": access})).ok()
    elif how == "deleted board":
        (await cast.ada.delete(cast.home)).ok()
    else:
        (await cast.cleo.delete("/users/me")).ok()


CHANGES = ("removed", "reads only", "deleted board", "deleted account")


@pytest.mark.parametrize("how", CHANGES)
async def test_approval_counts_only_while_its_person_may_write(cast: Cast, how: str) -> None:
    terminal = await ask(cast.app)
    (await approve(cast, cast.cleo, terminal)).is_status(303)
    await change(cast, how)
    assert await terminal.refusal() == "access_denied"
    assert await Connection.all().count() == 0 and await Token.filter(connection_id__isnull=False).count() == 0


@pytest.mark.parametrize("how", CHANGES)
async def test_connection_ends_with_what_it_rests_on(cast: Cast, how: str) -> None:
    program, made = await connected(cast, cast.cleo)
    (await program.get("/agent/healthz")).ok()
    await change(cast, how)
    (await program.get("/agent/healthz")).refused(401)
    if how in ("removed", "reads only"):
        assert (await Connection.get(id=made["connection_id"])).ended_at is not None


async def test_agent_that_goes_to_another_board_or_away_loses_its_connections(cast: Cast) -> None:
    first, made = await connected(cast, board=cast.board.name)
    second, _ = await connected(cast, board=cast.board.name, agent=f"{cast.board.id}:{made['agent']['id']}")
    path = f"/agents/{made['agent']['id']}"
    before = await head(cast)
    (await cast.ada.patch(path, {"board_id": str(cast.other_board.id)})).ok()
    for program in (first, second):
        (await program.get("/agent/healthz")).refused(401)
    assert [one.agent_id for one in await events(before, kind="agent.disconnected")] == [first_id(made)] * 2
    third, again = await connected(cast, agent=f"{cast.other_board.id}:{made['agent']['id']}")
    (await third.get("/agent/healthz")).ok()
    (await cast.ada.delete(path)).ok()
    (await third.get("/agent/healthz")).refused(401)
    assert await Connection.filter(id=again["connection_id"]).count() == 0


def first_id(made: dict[str, Any]) -> Any:
    return type(Agent().id)(made["agent"]["id"])


async def test_connections_survive_rotations_of_the_agents_own_token(cast: Cast) -> None:
    program, made = await connected(cast, agent=f"{cast.board.id}:{cast.vega.id}", board=cast.board.name)
    assert made["agent"] == {"id": str(cast.vega.id), "name": "Vega"}
    new = (await cast.ada.post(f"/agents/{cast.vega.id}/tokens", {"overlap_seconds": 0})).ok()
    (await cast.vega.get("/agent/healthz")).refused(401)
    (await program.get("/agent/healthz")).ok()
    listed = (await cast.ada.get(f"/agents/{cast.vega.id}/tokens")).ok()["items"]
    own = next(one for one in listed if one["connection_id"] == made["connection_id"])
    assert (own["name"], own["scopes"]) == ("Claude Code, mara-laptop", ["connect", "work"])
    assert next(one for one in listed if one["id"] == new["id"])["scopes"] is None
    (await program.post("/agent/tokens/rotations", {})).refused(409)
    (await cast.ada.patch(f"/agents/{cast.vega.id}/tokens/{own['id']}", {"scopes": None})).refused(409)
    (await cast.ada.delete(f"/agents/{cast.vega.id}/tokens/{own['id']}")).ok()
    (await program.get("/agent/healthz")).refused(401)
    assert (await Connection.get(id=made["connection_id"])).ended_at is not None


async def test_lead_that_is_connected_does_not_act_as_the_lead(cast: Cast) -> None:
    program, _ = await connected(cast, agent=f"{cast.board.id}:{cast.atlas.id}", board=cast.board.name)
    assert not (await program.actor()).is_lead


async def test_token_ends_when_it_is_not_used(cast: Cast) -> None:
    program, made = await connected(cast)
    token = await Token.get(connection_id=made["connection_id"])
    assert timedelta(days=89) < token.expires_at - times.clock_now() <= timedelta(days=90)
    await Token.filter(id=token.id).update(expires_at=times.clock_now())
    (await program.get("/agent/healthz")).refused(401)


async def test_board_that_is_erased_takes_its_connections_along(cast: Cast) -> None:
    program, _ = await connected(cast, board=cast.other_board.name, agent=f"{cast.other_board.id}:new")
    path = f"/boards/{cast.other_board.id}"
    (await cast.ada.delete(path)).ok()
    (await program.get("/agent/healthz")).refused(401)
    (await cast.ada.post(f"{path}/restorations")).ok()
    (await program.get("/agent/healthz")).ok()
    (await cast.ada.delete(path)).ok()
    await cast.erase(cast.other_board.id)
    assert await Connection.all().count() == await Token.filter(connection_id__isnull=False).count() == 0
