"""Pages of a gateway's sessions: what they show, how runs appear while they go on, and what is sent from them."""

import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest

from mission_control.agents.models import Agent
from mission_control.events.wakeup_channels import PROCESS
from mission_control.gateway_agents.sessions import following
from mission_control.gateways.models import Gateway
from tests.cast import Cast
from tests.gateways.fake import FakeGateway
from tests.gateways.fake_state import FakeAgent, FakeSession
from tests.gateways.gateways import add_gateway, connected_gateway, state_of, until
from tests.visitor import Visitor, Watch, visitor

KEY = "agent:mc-vega:main"
TOKEN = "mca_" + "Zq9" * 16


@pytest.fixture(autouse=True)
def nothing_followed() -> None:
    """Each test has runs of the same names."""
    following._ended.clear()
    following._followed.clear()


@pytest.fixture
async def gateway(cast: Cast, fake_gateway: FakeGateway) -> Gateway:
    """A gateway with Vega, which says nothing by itself."""
    made = await connected_gateway(cast, fake_gateway)
    await Agent.filter(id=cast.vega.id).update(gateway_id=made.id, gateway_agent_id="mc-vega", openclaw_session_id=KEY)
    fake_gateway.state.agents["mc-vega"] = FakeAgent("mc-vega", "Vega", "/ws/vega")
    fake_gateway.reply = lambda session, text: None
    return made


@pytest.fixture
async def ada(cast: Cast) -> Visitor:
    return await visitor(cast.app, cast.ada)


@pytest.fixture
def session(fake_gateway: FakeGateway) -> FakeSession:
    """Vega's session."""
    return fake_gateway.state.session(KEY)


def path_of(gateway: Gateway, key: str = KEY) -> str:
    return f"/gateways/{gateway.id}/sessions/{quote(key, safe='')}"


@pytest.fixture
async def watch(ada: Visitor, gateway: Gateway, session: FakeSession) -> AsyncIterator[Watch]:
    """Ada's open page of Vega's session."""
    async with ada.watching(f"{path_of(gateway)}/live?since=0") as opened:
        await until(lambda: following.is_watched(following.watch_id(gateway.id, KEY)))
        yield opened


async def tell(fake: FakeGateway, stream: str, run: str = "r1", **data: Any) -> None:
    """Let the gateway tell something about a run of Vega."""
    about = {"runId": run, "sessionKey": KEY, "agentId": "mc-vega", "seq": 1, "ts": 1}
    if stream == "chat":
        await fake.emit("chat", {**about, **data})
    else:
        await fake.emit("agent", {**about, "stream": stream, "data": data})


async def test_transcript_is_shown_as_people_read_it(
    ada: Visitor, gateway: Gateway, session: FakeSession, fake_gateway: FakeGateway
) -> None:
    session.add("user", "Is **it** <b>clear</b>?")
    session.add("assistant", f"Yes, {TOKEN} and {fake_gateway.token}.")
    page = (await ada.get(path_of(gateway))).is_status(200)
    page.has("<strong>it</strong>", "&lt;b&gt;clear", "Vega", "mca_••••", "Message Vega", KEY)
    page.lacks(TOKEN, fake_gateway.token, "<b>clear")


async def test_page_without_messages_can_be_written_to(ada: Visitor, gateway: Gateway) -> None:
    (await ada.get(path_of(gateway))).is_status(200).has("session-composer")


async def test_gateway_that_is_down_is_told(cast: Cast, ada: Visitor, fake_gateway: FakeGateway) -> None:
    await fake_gateway.stop()
    gateway = await add_gateway(cast, fake_gateway, state="unreachable", last_error="Nothing listens there.")
    for path in (path_of(gateway), f"/gateways/{gateway.id}/sessions"):
        (await ada.get(path)).is_status(200).has("not connected", "Nothing listens there.")


async def test_pages_are_for_admins(cast: Cast, gateway: Gateway) -> None:
    for person in (cast.cleo, cast.eve):
        browser = await visitor(cast.app, person)
        for path in (path_of(gateway), f"/gateways/{gateway.id}/sessions", f"{path_of(gateway)}/live"):
            (await browser.get(path)).is_status(404)
        (await browser.post(f"{path_of(gateway)}/messages", {"content": "Hi."})).is_status(404)


async def test_list_shows_sessions_with_their_agents(
    ada: Visitor, gateway: Gateway, session: FakeSession, fake_gateway: FakeGateway
) -> None:
    session.input_tokens = 1_200
    fake_gateway.state.session("agent:stranger:cron:<7>")
    page = (await ada.get(f"/gateways/{gateway.id}/sessions")).is_status(200)
    page.has("Vega", "1,200 tokens", "fake-1", path_of(gateway), "stranger: cron &lt;7&gt;")
    page.has('id="gateway-tab-overview"', "OpenClaw 2026.9.6")
    assert re.search(r'<a id="gateway-tab-sessions"[^>]*aria-current="page"', page.text)


@pytest.mark.parametrize(("label", "shown"), [("Vega", "Vega"), ("Vega · 0a1b", "Vega · 0a1b"), ("Tax", "Vega: Tax")])
async def test_session_of_an_agent_has_its_name_once(
    ada: Visitor, gateway: Gateway, session: FakeSession, label: str, shown: str
) -> None:
    session.label = label
    page = (await ada.get(f"/gateways/{gateway.id}/sessions")).is_status(200)
    assert re.search(rf"data-nav-item>\s*{shown}\s*</a>", page.text)


async def test_list_without_sessions_says_when_one_begins(ada: Visitor, gateway: Gateway) -> None:
    (await ada.get(f"/gateways/{gateway.id}/sessions")).has("No sessions yet")
    (await ada.get(f"/gateways/{gateway.id}/sessions?q=zz")).has("No session matches", 'value="zz"')


async def test_run_appears_while_it_goes_on(
    watch: Watch, gateway: Gateway, session: FakeSession, fake_gateway: FakeGateway
) -> None:
    session.add("user", "Look up.")
    await tell(fake_gateway, "lifecycle", phase="start")
    await watch.until("Look up.")
    await tell(fake_gateway, "assistant", text="Let me", itemId="i1")
    await watch.until("Let me")
    await tell(fake_gateway, "tool", phase="start", name="exec", toolCallId="c1", args={"command": "ls /sky"})
    text = await watch.until("ls /sky")
    assert "Using exec" in text
    await tell(fake_gateway, "tool", phase="result", name="exec", toolCallId="c1", result={"content": "stars"})
    await watch.until("stars")
    session.add("assistant", "All is clear.", runId="r1")
    watch.text = ""
    await tell(fake_gateway, "chat", state="final")
    await watch.until("All is clear.")
    text = (await watch.until("session-actions")).rpartition("All is clear.")[2]
    live = text.partition("#transcript-live")[2].partition("</hx-partial>")[0]
    assert live.startswith('"') and "stars" not in live


async def test_history_of_the_present_run_is_not_shown_twice(
    ada: Visitor, gateway: Gateway, session: FakeSession, fake_gateway: FakeGateway
) -> None:
    session.add("user", "Look up.")
    await tell(fake_gateway, "lifecycle", phase="start")
    await tell(fake_gateway, "assistant", text="Half a sentence", itemId="i1")
    session.add("assistant", "Half a sentence", runId="r1")
    await until(lambda: any(one.parts for one in _runs()))
    async with ada.watching(f"{path_of(gateway)}/live?since=0") as watch:
        text = await watch.until("Half a sentence")
        tail = text.partition("#transcript-tail")[2].partition("</hx-partial>")[0]
        assert "Look up." in tail and "Half a sentence" not in tail


def _runs() -> list[Any]:
    return [run for one in following._followed.values() for run in one.runs.values()]


async def test_second_error_of_a_run_changes_nothing(watch: Watch, gateway: Gateway, fake_gateway: FakeGateway) -> None:
    await tell(fake_gateway, "lifecycle", phase="start")
    for _ in range(2):
        await tell(fake_gateway, "chat", state="error", errorMessage=f"No credit for {TOKEN}.")
    text = await watch.until("No credit for mca_••••")
    assert TOKEN not in text and _runs() == []


async def test_secrets_never_reach_a_stream(
    watch: Watch, gateway: Gateway, session: FakeSession, fake_gateway: FakeGateway
) -> None:
    await tell(fake_gateway, "lifecycle", phase="start")
    for length in (5, 20, 40, len(TOKEN)):
        await tell(fake_gateway, "assistant", text=f"It is {TOKEN[:length]}", itemId="i1")
    await tell(fake_gateway, "tool", phase="start", name="exec", toolCallId="c1", args={"command": f"curl {TOKEN}"})
    shown = {"content": [{"type": "text", "text": f"{fake_gateway.token} end"}]}
    await tell(fake_gateway, "tool", phase="result", name="exec", toolCallId="c1", result=shown)
    text = await watch.until("•••• end")
    assert TOKEN[:9] not in text and fake_gateway.token not in text


async def test_long_answer_arrives_whole(watch: Watch, gateway: Gateway, fake_gateway: FakeGateway) -> None:
    await tell(fake_gateway, "lifecycle", phase="start")
    words = " ".join(f"star{number}" for number in range(3_000))
    await tell(fake_gateway, "assistant", text=words, itemId="i1")
    text = await watch.until("star2999")
    assert words in unescape(text)


async def test_session_that_nobody_watches_sends_no_signals(
    cast: Cast, gateway: Gateway, fake_gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []

    async def publish(*_: Any, **signal: Any) -> None:
        if "gateway_back" not in signal:  # of the connection, which may have been made just now
            sent.append(signal)

    monkeypatch.setattr(following, "publish_signal", publish)
    await tell(fake_gateway, "lifecycle", phase="start", run="quiet")
    await tell(fake_gateway, "assistant", text="Nobody listens.", itemId="i1", run="quiet")
    await until(lambda: any(one.id == "quiet" and one.parts for one in _runs()))
    assert sent == []


async def test_page_that_connects_again_gets_what_it_missed(
    ada: Visitor, gateway: Gateway, session: FakeSession, fake_gateway: FakeGateway
) -> None:
    await tell(fake_gateway, "lifecycle", phase="start", run="r7")
    await tell(fake_gateway, "tool", run="r7", phase="start", name="exec", toolCallId="c1", args={"command": "sleep"})
    session.add("user", "Said while away.")
    await until(lambda: any(one.id == "r7" and one.parts for one in _runs()))
    async with ada.watching(f"{path_of(gateway)}/live?since=0") as watch:
        text = await watch.until("Using exec")
        assert "Said while away." in text


async def test_gateway_that_connects_again_is_asked_for_what_was_missed(
    watch: Watch, gateway: Gateway, session: FakeSession, fake_gateway: FakeGateway
) -> None:
    await tell(fake_gateway, "lifecycle", phase="start")
    await tell(fake_gateway, "assistant", text="Half a", itemId="i1")
    await watch.until("Half a")
    session.add("assistant", "The whole sentence.")
    watch.text = ""
    await fake_gateway.restart()
    await watch.until("The whole sentence.")
    await state_of(gateway.id, "connected", holder=PROCESS)
    await watch.until('hx-target="#transcript-live" hx-swap="innerMorph"></hx-partial>')


async def test_message_is_sent_once_for_its_key(
    ada: Visitor, gateway: Gateway, session: FakeSession, fake_gateway: FakeGateway
) -> None:
    form = {"content": "Look up.", "idempotency_key": "one"}
    assert (await ada.post(f"{path_of(gateway)}/messages", form)).is_status(303).leads_to == path_of(gateway)
    (await ada.with_htmx.post(f"{path_of(gateway)}/messages", form)).is_status(204)
    assert [one["content"] for one in session.messages] == ["Look up."]
    assert fake_gateway.sent("chat.send")[0]["idempotencyKey"] == "one"
    (await ada.get(path_of(gateway))).has('data-sent-as="one"')


async def test_message_that_was_not_sent_says_why(ada: Visitor, gateway: Gateway, fake_gateway: FakeGateway) -> None:
    fake_gateway.fail("chat.send", "the agent is asleep")
    form = {"content": "Look up.", "idempotency_key": "one"}
    answer = await ada.with_htmx.post(f"{path_of(gateway)}/messages", form)
    answer.is_status(502).has("the agent is asleep")
    (await ada.with_htmx.post(f"{path_of(gateway)}/messages", {"content": "  "})).is_status(422)


async def test_run_is_stopped(ada: Visitor, gateway: Gateway, fake_gateway: FakeGateway) -> None:
    (await ada.with_htmx.post(f"{path_of(gateway)}/aborts")).is_status(204)
    assert fake_gateway.sent("chat.abort") == [{"sessionKey": KEY}]


async def test_list_follows_runs(ada: Visitor, gateway: Gateway, fake_gateway: FakeGateway) -> None:
    async with ada.watching(f"/gateways/{gateway.id}/sessions/live") as watch:
        await until(lambda: following.is_watched(following.watch_id(gateway.id, following.LIST)))
        fake_gateway.state.session(KEY)
        await tell(fake_gateway, "lifecycle", phase="start", run="r9")
        await watch.until("Vega")


async def test_agent_page_leads_to_its_session(cast: Cast, ada: Visitor, gateway: Gateway) -> None:
    url = path_of(gateway)
    (await ada.get(f"/agents/{cast.vega.id}")).has(f'href="{url}"')
    (await ada.get(f"/agents/{cast.vega.id}/session")).has(f'href="{url}"', "Open the session")
    (await ada.get(f"/agents/{cast.rigel.id}")).lacks("/sessions/")
    (await ada.get(f"/agents/{cast.rigel.id}/session")).has("No session")
