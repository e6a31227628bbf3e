"""The operations of gateways' sessions: whose gateway they ask, what they pass on, and what they refuse."""

from typing import Any
from urllib.parse import quote

import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.events.leases import Delivery
from mission_control.gateway_agents.notices import message_of
from mission_control.gateway_agents.sessions import api as session_api
from mission_control.gateway_agents.sessions import reading as session_reading
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.identity import main_session_key
from tests.agents_on_gateways import hire_main
from tests.cast import Answer, Caller, Cast, events
from tests.gateways.fake import FakeGateway
from tests.gateways.fake_state import FakeAgent
from tests.gateways.gateways import add_gateway, connected_gateway

VEGA_KEY = "agent:mc-vega:main"
SECRET = "mca_" + "Zq9" * 16


@pytest.fixture
async def gateway(cast: Cast, fake_gateway: FakeGateway) -> Gateway:
    """The board's gateway, with its main agent and Vega."""
    made = await connected_gateway(cast, fake_gateway)
    await Board.filter(id=cast.board.id).update(gateway_id=made.id)
    await Agent.filter(id=cast.vega.id).update(gateway_id=made.id, gateway_agent_id="mc-vega")
    main = await hire_main(cast.app, made)
    await Agent.filter(id=main.id).update(workspace_token="made")
    for name in (f"mc-gateway-{made.id}", "mc-vega", "stranger"):
        fake_gateway.state.agents[name] = FakeAgent(name, name, f"/ws/{name}")
    return made


def session_path(key: str, end: str = "", **query: object) -> str:
    asked = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
    return f"/gateways/sessions/{quote(key, safe='')}{end}?{asked}"


async def status_by(caller: Caller, **query: Any) -> Answer:
    asked = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
    return await caller.get(f"/gateways/status?{asked}")


async def test_sessions_are_passed_on_as_the_gateway_describes_them(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    fake_gateway.state.session(VEGA_KEY).add("assistant", "Hello.")
    fake_gateway.state.session("agent:stranger:cron:1")
    found = (await cast.ada.get(f"/gateways/sessions?board_id={cast.board.id}")).ok()
    told = [fake_gateway.state.sessions[one["key"]].row() for one in found["sessions"]]
    assert {one["key"] for one in found["sessions"]} == {VEGA_KEY, "agent:stranger:cron:1"}
    assert found["sessions"] == told
    assert found["main_session"]["label"] == "Gateway Agent"
    assert fake_gateway.sent("sessions.patch") == [{"key": main_session_key(gateway.id), "label": "Gateway Agent"}]


async def test_sessions_of_a_gateway_by_its_id_touch_nothing(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    fake_gateway.state.session(VEGA_KEY)
    found = (await cast.ben.get(f"/gateways/sessions?gateway_id={gateway.id}")).ok()
    assert [one["key"] for one in found["sessions"]] == [VEGA_KEY] and found["main_session"] is None
    assert fake_gateway.sent("sessions.patch") == []
    (await cast.cleo.get(f"/gateways/sessions?gateway_id={gateway.id}")).refused(404)
    (await cast.eve.get(f"/gateways/sessions?gateway_id={gateway.id}")).refused(404)


async def test_list_succeeds_without_a_main_session(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    fake_gateway.fail("sessions.patch", "no such agent")
    found = (await cast.ada.get(f"/gateways/sessions?board_id={cast.board.id}")).ok()
    assert found == {"sessions": [], "main_session": None}


async def test_readers_of_a_board_see_the_sessions_of_its_agents_only(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    other = "agent:stranger:main"
    for key in (VEGA_KEY, other):
        fake_gateway.state.session(key).add("assistant", "Hello.")
    board: dict[str, Any] = {"board_id": cast.board.id}
    found = (await cast.dan.get(f"/gateways/sessions?board_id={cast.board.id}")).ok()
    assert [one["key"] for one in found["sessions"]] == [VEGA_KEY] and found["main_session"] is None
    assert len((await cast.dan.get(session_path(VEGA_KEY, "/history", **board))).ok()["history"]) == 1
    for end in ("", "/history"):
        (await cast.dan.get(session_path(other, end, **board))).refused(404)
        (await cast.dan.get(session_path(main_session_key(gateway.id), end, **board))).refused(404)
    (await cast.dan.post(session_path(VEGA_KEY, "/message", **board), {"content": "Hi."})).refused(403)
    (await cast.dan.post(session_path(VEGA_KEY, "/aborts", **board), {})).refused(403)
    (await cast.cleo.post(session_path(other, "/message", **board), {"content": "Hi."})).refused(404)
    (await cast.cleo.post(session_path(VEGA_KEY, "/message", **board), {"content": "Hi."})).ok()
    assert fake_gateway.messages(VEGA_KEY) == ["Hi."]


@pytest.mark.parametrize("path", ["/gateways/sessions", session_path(VEGA_KEY), session_path(VEGA_KEY, "/history")])
async def test_a_request_names_a_gateway_that_the_caller_reaches(cast: Cast, path: str) -> None:
    joined = "&" if "?" in path else "?"
    assert "board_id" in (await cast.ada.get(path)).refused(422)
    assert "board_id" in (await cast.ada.get(f"{path}{joined}board_id=%20")).refused(422)
    assert "no gateway" in (await cast.ada.get(f"{path}{joined}board_id={cast.board.id}")).refused(422)
    (await cast.ada.get(f"{path}{joined}board_id={cast.foreign_board.id}")).refused(404)
    (await cast.ada.get(f"{path}{joined}board_id=nonsense")).refused(404)


async def test_session_is_found_by_its_key(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    board: dict[str, Any] = {"board_id": cast.board.id}
    fake_gateway.state.session(VEGA_KEY)
    assert (await cast.ada.get(session_path(VEGA_KEY, **board))).ok()["session"]["key"] == VEGA_KEY
    unescaped = f"/gateways/sessions/{VEGA_KEY}?board_id={cast.board.id}"
    assert (await cast.ada.get(unescaped)).ok()["session"]["key"] == VEGA_KEY
    (await cast.ada.get(session_path("agent:mc-vega:other", **board))).refused(404)


async def test_main_session_is_made_on_demand(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    key = main_session_key(gateway.id)
    found = (await cast.ada.get(session_path(key, board_id=cast.board.id))).ok()
    assert found["session"]["label"] == "Gateway Agent" and key in fake_gateway.state.sessions


async def test_session_beyond_the_first_hundred_is_described(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    fake_gateway.state.session(VEGA_KEY).updated_at = 1
    for number in range(100):
        fake_gateway.state.session(f"agent:stranger:cron:{number}")
    found = (await cast.ada.get(session_path(VEGA_KEY, board_id=cast.board.id))).ok()
    assert found["session"]["key"] == VEGA_KEY


async def test_history_asks_for_no_limit(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    message = fake_gateway.state.session(VEGA_KEY).add("user", "Look up.")
    found = (await cast.ada.get(session_path(VEGA_KEY, "/history", board_id=cast.board.id))).ok()
    assert found == {"history": [message]}
    assert fake_gateway.sent("chat.history") == [{"sessionKey": VEGA_KEY}]
    assert await events(kind="gateway.session.run_ended") == [], "no run was there to end"


@pytest.mark.parametrize(
    ("payload", "history"),
    [([{"role": "user"}], [{"role": "user"}]), ({"messages": 7}, []), (None, []), ("text", []), ({}, [])],
)
def test_history_of_any_shape_is_a_list(payload: Any, history: list[Any]) -> None:
    assert session_reading.listed(payload, "messages") == history


async def test_message_is_sent_without_delivery(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    path = session_path(VEGA_KEY, "/message", board_id=cast.board.id)
    assert (await cast.ada.post(path, {"content": "  Look up. "})).ok() == {"ok": True}
    [sent] = fake_gateway.sent("chat.send")
    assert sent["sessionKey"] == VEGA_KEY and sent["message"] == "Look up." and sent["deliver"] is False
    assert sent["idempotencyKey"] and fake_gateway.sent("sessions.patch") == []
    [event] = await events(kind="gateway.session.message_sent")
    assert (event.actor_id, event.agent_id, event.board_id) == (cast.ada.id, cast.vega.id, cast.board.id)
    assert event.subject_id == gateway.id and "Look up" not in event.message + str(event.data)
    (await cast.ada.post(path, {"content": "   "})).refused(422)
    (await cast.ada.post(path, {})).refused(422)


async def test_message_to_the_main_session_makes_it_first(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    key = main_session_key(gateway.id)
    (await cast.ada.post(session_path(key, "/message", board_id=cast.board.id), {"content": "Hi."})).ok()
    assert [one.method for one in fake_gateway.calls if one.method in ("sessions.patch", "chat.send")] == [
        "sessions.patch", "chat.send",
    ]  # fmt: skip
    assert fake_gateway.messages(key) == ["Hi."]


async def test_nothing_is_made_for_a_main_agent_that_was_never_needed_until_it_is_written_to(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    await Agent.filter(gateway_id=gateway.id, board_id=None).update(workspace_token=None, last_wake_sent_at=None)
    key = main_session_key(gateway.id)
    found = (await status_by(cast.ada, board_id=cast.board.id)).ok()
    assert (found["connected"], found["main_session"], found["main_session_error"]) == (True, None, None)
    (await cast.ada.post(session_path(key, "/message", board_id=cast.board.id), {"content": "Hi."})).ok()
    assert fake_gateway.sent("sessions.patch") == fake_gateway.sent("chat.send") == []
    [waiting] = await Delivery.filter(agent__gateway_id=gateway.id, agent__board_id=None)
    assert (message_of(waiting), waiting.state) == ("Hi.", "waiting")
    assert len(await events(kind="gateway.session.message_sent")) == 1


async def test_message_with_the_same_key_is_sent_once(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    path = session_path(VEGA_KEY, "/message", gateway_id=gateway.id)
    for _ in range(2):
        (await cast.ada.post(path, {"content": "Once.", "idempotency_key": "one"})).ok()
    messages = fake_gateway.state.sessions[VEGA_KEY].messages
    assert [one["content"] for one in messages if one["role"] == "user"] == ["Once."]
    assert len(await events(kind="gateway.session.message_sent")) == 1
    fake_gateway.state.runs.clear()  # a gateway that was restarted knows no idempotency keys
    (await cast.ada.post(path, {"content": "Once.", "idempotency_key": "one"})).ok()
    assert len(fake_gateway.sent("chat.send")) == 3
    assert len(await events(kind="gateway.session.message_sent")) == 2


async def test_runs_are_aborted(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    path = session_path(VEGA_KEY, "/aborts", board_id=cast.board.id)
    assert (await cast.cleo.post(path, {"run_id": "r-1"})).ok() == {"ok": True, "run_ids": []}
    (await cast.cleo.post(path, {})).ok()
    assert fake_gateway.sent("chat.abort") == [{"sessionKey": VEGA_KEY, "runId": "r-1"}, {"sessionKey": VEGA_KEY}]


async def test_words_of_a_refusing_gateway_are_passed_on(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    board: dict[str, Any] = {"board_id": cast.board.id}
    fake_gateway.fail("sessions.list", "the disk is full")
    answer = await cast.ada.get(f"/gateways/sessions?board_id={cast.board.id}")
    assert answer.refused(502) == "the disk is full"
    fake_gateway.fail("chat.history", "no transcript")
    assert (await cast.ada.get(session_path(VEGA_KEY, "/history", **board))).refused(502) == "no transcript"
    fake_gateway.fail("chat.send", "too busy")
    said = await cast.ada.post(session_path(VEGA_KEY, "/message", **board), {"content": "Hi."})
    assert said.refused(502) == "too busy"


async def test_gateway_without_connection_is_not_waited_for(cast: Cast, fake_gateway: FakeGateway) -> None:
    await fake_gateway.stop()
    gateway = await add_gateway(cast, fake_gateway, state="unreachable", last_error="Nothing listens.")
    (await cast.ada.get(f"/gateways/sessions?gateway_id={gateway.id}")).refused(502)
    found = (await status_by(cast.ada, gateway_id=gateway.id)).ok()
    assert found == {
        "connected": False, "gateway_url": gateway.url, "sessions_count": None, "sessions": None,
        "main_session": None, "main_session_error": None, "error": "Nothing listens.",
    }  # fmt: skip


async def test_secrets_in_transcripts_are_masked(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    session = fake_gateway.state.session(VEGA_KEY)
    session.label = f"with {SECRET}"
    session.add("assistant", f"TOKEN={SECRET} and {fake_gateway.token}.")
    board: dict[str, Any] = {"board_id": cast.board.id}
    for answer in (
        await cast.ada.get(session_path(VEGA_KEY, "/history", **board)),
        await cast.ada.get(session_path(VEGA_KEY, **board)),
        await status_by(cast.ada, **board),
    ):
        text = str(answer.ok())
        assert SECRET not in text and fake_gateway.token not in text and "mca_••••" in text


async def test_status_by_board_has_the_main_session(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    fake_gateway.state.session(VEGA_KEY)
    found = (await status_by(cast.ada, board_id=cast.board.id)).ok()
    assert found["connected"] is True and found["gateway_url"] == gateway.url and found["error"] is None
    assert found["sessions_count"] == len(found["sessions"]) == 1
    assert found["main_session"]["label"] == "Gateway Agent" and found["main_session_error"] is None
    fake_gateway.fail("sessions.patch", "no such agent")
    found = (await status_by(cast.ada, board_id=cast.board.id)).ok()
    assert found["connected"] is True and found["main_session"] is None
    assert found["main_session_error"] == "no such agent"


async def test_status_is_an_answer_when_the_gateway_fails(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    fake_gateway.fail("sessions.list", "the disk is full")
    found = (await status_by(cast.ada, board_id=cast.board.id)).ok()
    assert found["connected"] is False and found["error"] == "the disk is full" and found["sessions"] is None


async def test_saved_token_serves_exactly_the_url_that_it_was_saved_with(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    connects = len(fake_gateway.connects)
    found = (await status_by(cast.ada, gateway_url=f" {gateway.url} ", board_id=cast.board.id)).ok()
    assert found["connected"] is True and found["main_session"] is None
    with_token = (await status_by(cast.ada, gateway_url=gateway.url, gateway_token=fake_gateway.token)).ok()
    assert with_token["connected"] is True
    assert len(fake_gateway.connects) == connects  # the connection that is there was used
    other_path = (await status_by(cast.ada, gateway_url=f"{gateway.url}/")).ok()
    assert other_path["connected"] is False and other_path["error"]
    assert fake_gateway.token not in str(fake_gateway.connects[connects:])


async def test_saved_token_is_not_lent_to_another_organization(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    found = (await status_by(cast.eve, gateway_url=gateway.url)).ok()
    assert found["connected"] is False and found["error"]


async def test_wrong_token_for_a_saved_url_is_tried_itself(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    found = (await status_by(cast.ada, gateway_url=gateway.url, gateway_token="wrong-token-0123456789")).ok()
    assert found["connected"] is False and "token" in found["error"]


async def test_unsaved_url_is_tried_by_a_connection_of_its_own(cast: Cast, fake_gateway: FakeGateway) -> None:
    fake_gateway.state.session(VEGA_KEY)
    found = (await status_by(cast.ada, gateway_url=fake_gateway.url, gateway_token=fake_gateway.token)).ok()
    assert found["connected"] is True and found["sessions_count"] == 1
    assert len(fake_gateway.connects) == 1 and fake_gateway.clients == []


async def test_silent_url_is_given_up(cast: Cast, fake_gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_api, "SECONDS", 0.2)
    fake_gateway.ignore("sessions.list")
    found = (await status_by(cast.ada, gateway_url=fake_gateway.url, gateway_token=fake_gateway.token)).ok()
    assert found["connected"] is False and "did not answer" in found["error"]


@pytest.mark.parametrize(("url", "words"), [
    ("http://127.0.0.1:1", "ws://"),
    ("ws://169.254.169.254:80", "may not be reached"),
    ("ws://[fe80::1]:80", "may not be reached"),
    ("ws://user:secret@127.0.0.1:1", "password"),
    ("ws://no-such-host.invalid:1", "cannot be resolved"),
])  # fmt: skip
async def test_url_that_is_no_gateway_is_told(cast: Cast, url: str, words: str) -> None:
    found = (await status_by(cast.ada, gateway_url=url)).ok()
    assert found["connected"] is False and words in found["error"]


async def test_only_admins_try_urls(cast: Cast) -> None:
    (await status_by(cast.cleo, gateway_url="ws://127.0.0.1:1")).refused(403)
    (await status_by(cast.ada, gateway_url="   ", board_id=cast.board.id)).refused(422)
    (await status_by(cast.ada)).refused(422)
    assert "no gateway" in (await status_by(cast.ada, gateway_url="", board_id=cast.board.id)).refused(422)


async def test_commands_are_what_the_gateway_announced(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    found = (await cast.ada.get("/gateways/commands")).ok()
    assert found["protocol_version"] == 4 and "chat.send" in found["methods"] and "chat" in found["events"]
    assert (await cast.ada.get(f"/gateways/commands?gateway_id={gateway.id}")).ok() == found
    (await cast.eve.get(f"/gateways/commands?gateway_id={gateway.id}")).refused(404)
    assert (await cast.eve.get("/gateways/commands")).ok() == {"protocol_version": 4, "methods": [], "events": []}
