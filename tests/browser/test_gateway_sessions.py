"""A session's page in a browser: runs appear as they happen, and what the reader does is left alone."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site, Watched, becomes_true
from tests.gateways.fake import FakeGateway
from tests.gateways.fake_state import FakeAgent, FakeSession
from tests.gateways.gateways import until

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
KEY = "agent:vega:main"


@dataclass
class Scene:
    """A gateway that the server is connected to, and a session there."""

    fake: FakeGateway
    gateway: str
    session: FakeSession

    @property
    def path(self) -> str:
        return f"/gateways/{self.gateway}/sessions/{quote(KEY, safe='')}"

    async def tell(self, stream: str, run: str = "r1", **data: Any) -> None:
        """Let the gateway tell something about a run."""
        about = {"runId": run, "sessionKey": KEY, "agentId": "vega", "seq": 1, "ts": 1}
        payload = about | (data if stream == "chat" else {"stream": stream, "data": data})
        await self.fake.emit("chat" if stream == "chat" else "agent", payload)


@pytest.fixture
async def scene(site: Site) -> AsyncIterator[Scene]:
    async with FakeGateway() as fake:
        fake.state.agents["vega"] = FakeAgent("vega", "Vega", "/ws/vega")
        fake.reply = lambda session, text: None
        made = await site.make("/gateways", name="Basement", url=fake.url, workspace_root="~", token=fake.token)
        session = fake.state.session(KEY)
        for number in range(30):
            session.add("user", f"Question {number}")
            session.add("assistant", f"Answer {number}")
        await until(lambda: fake.clients)
        yield Scene(fake, made["id"], session)
        (await site.api.delete(f"/api/v1/gateways/{made['id']}")).raise_for_status()


async def opened(open_page: Open, path: str, **options: Any) -> Page:
    page = await open_page(path, **options)
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    return page


async def test_run_with_tools_appears_while_somebody_types(scene: Scene, open_page: Open) -> None:
    page = await opened(open_page, scene.path)
    field = page.get_by_label("Message to the agent")
    await field.fill("Half a thou")
    await scene.tell("lifecycle", phase="start")
    text = ""
    for word in ("Let ", "me ", "look ", "at ", "the ", "sky."):
        text += word
        await scene.tell("assistant", text=text, itemId="i1")
        await page.keyboard.type("x")
    await expect(page.locator("#transcript-live")).to_contain_text("Let me look at the sky.")
    await scene.tell("tool", phase="start", name="exec", toolCallId="c1", args={"command": "ls /sky"})
    tool = page.locator("#transcript-live details")
    await expect(tool).to_contain_text("ls /sky")
    await tool.locator("summary").click()
    await field.focus()
    await scene.tell("tool", phase="result", name="exec", toolCallId="c1", result={"content": "stars"})
    await expect(tool.get_by_label("Output of exec")).to_have_text("stars")
    await expect(tool).to_have_attribute("open", "")
    await expect(field).to_have_value("Half a thouxxxxxx")
    await expect(field).to_be_focused()
    scene.session.add("assistant", "All is clear.", runId="r1")
    await scene.tell("chat", state="final")
    await expect(page.locator("#transcript-tail")).to_contain_text("All is clear.")
    await expect(page.locator("#transcript-live")).to_be_empty()
    await expect(field).to_have_value("Half a thouxxxxxx")


async def test_message_is_shown_at_once_and_replaced_by_its_own(scene: Scene, open_page: Open) -> None:
    page = await opened(open_page, scene.path)
    gate = scene.fake.hold("chat.send")
    await page.get_by_label("Message to the agent").fill("Look up.")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#transcript-pending")).to_contain_text("Look up.")
    gate.set()
    await expect(page.get_by_label("Message to the agent")).to_have_value("")
    await scene.tell("lifecycle", phase="start", run="r2")
    await expect(page.locator("#transcript-tail")).to_contain_text("Look up.")
    await expect(page.locator("#transcript-pending")).to_be_empty()
    assert [one["content"] for one in scene.session.messages].count("Look up.") == 1


async def test_message_that_was_not_sent_stays_typed(scene: Scene, open_page: Open, watched: Watched) -> None:
    watched.forgiven = r"status of 502"
    page = await opened(open_page, scene.path)
    scene.fake.fail("chat.send", "the agent is asleep")
    field = page.get_by_label("Message to the agent")
    await field.fill("Look up.")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#session-composer .refusal")).to_have_text("the agent is asleep")
    await expect(field).to_have_value("Look up.")
    await expect(page.locator("#transcript-pending")).to_be_empty()
    await page.get_by_role("button", name="Send").click()
    await expect(field).to_have_value("")
    await until(lambda: [one["content"] for one in scene.session.messages].count("Look up.") == 1)


async def test_reader_stays_where_it_reads(scene: Scene, open_page: Open) -> None:
    page = await opened(open_page, scene.path)
    box = page.locator(".scroll")
    at_end = "(box) => box.scrollHeight - box.scrollTop - box.clientHeight < 80"
    await becomes_true(page, f"() => ({at_end})(document.querySelector('.scroll'))")
    await box.evaluate("(box) => { box.scrollTop = 100; }")
    await scene.tell("lifecycle", phase="start", run="r3")
    await scene.tell("assistant", run="r3", text="A long answer.\n\n" * 40, itemId="i1")
    await expect(page.locator("#transcript-live")).to_contain_text("A long answer.")
    await expect(page.get_by_role("button", name="Newest messages")).to_be_visible()
    assert await box.evaluate("(box) => box.scrollTop") == 100
    await page.get_by_role("button", name="Newest messages").click()
    await becomes_true(page, f"() => ({at_end})(document.querySelector('.scroll'))")


async def test_page_shows_what_it_missed_while_it_was_offline(scene: Scene, open_page: Open, watched: Watched) -> None:
    watched.forgiven = r"ERR_INTERNET_DISCONNECTED|network"
    page = await opened(open_page, scene.path)
    field = page.get_by_label("Message to the agent")
    await field.fill("Half a thought")
    await page.context.set_offline(True)
    await expect(page.locator("html")).not_to_have_attribute("data-connection", "live")
    scene.session.add("user", "Said while away.")
    await scene.tell("lifecycle", phase="start", run="r4")
    await scene.tell("assistant", run="r4", text="Begun while away", itemId="i1")
    await page.context.set_offline(False)
    await expect(page.locator("#transcript-tail")).to_contain_text("Said while away.")
    await expect(page.locator("#transcript-live")).to_contain_text("Begun while away")
    await expect(field).to_have_value("Half a thought")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_narrow_page_fits(scene: Scene, open_page: Open, theme: str) -> None:
    page = await opened(open_page, scene.path, width=390, theme=theme)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await page.goto(re.sub(r"/sessions/.*", "/sessions", page.url))
    await expect(page.get_by_role("link", name="vega")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
