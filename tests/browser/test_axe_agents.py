"""Nothing for axe to find on an agent's page: every tab full and empty, its dialogs, what holds it back; and 320 px."""

from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import PATIENCE, Open, Site
from tests.browser.looks import found

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
TABS = ("", "/inbox", "/runs", "/usage", "/tokens", "/soul", "/activity")
DIALOGS = {
    "Edit": "", "Limits": "", "Set a callback": "/inbox", "New budget": "/usage", "New token": "/tokens",
    "Revoke": "/tokens", "Change": "/tokens", "Edit the soul": "/soul", "Delete the agent": "",
}  # fmt: skip
WORDS = "a word that is long enough to need more than one line on a narrow screen"


@pytest.fixture(scope="module")
async def agents(site: Site) -> AsyncIterator[dict[str, str]]:
    """One agent that has done everything and has used up its budget, and one that has done nothing."""
    board = await site.board(name="Jupiter")
    tag = await site.make("/tags", name="Optics")
    soul = {
        "identity_profile": {"role": "Keeper of " + WORDS},
        "soul_template": "# Calm\n\n- Be **kind**.\n- Be brief.",
    }
    busy = await site.make("/agents", name="Amalthea", board_id=board, claim_tags=["optics"], wip_limit=1, **soul)
    token = {"X-Agent-Token": busy["token"]}
    async with httpx.AsyncClient(base_url=site.url, headers=token, timeout=PATIENCE) as agent:
        await agent.post("/api/v1/agent/heartbeat")
        for _ in range(2):
            task = await site.task(board, f"Polish {WORDS}", tag_ids=[tag["id"]])
            claim = (await agent.post(f"/api/v1/agent/boards/{board}/claims", json={"lease_seconds": 900})).json()
            work = {"fence": claim["lease"]["fence"], "summary": f"It `shines`: {WORDS}."}
            shown = {"evidence": [{"url": f"https://example.org/{'x' * 90}"}], "input_tokens": 9000}
            path = f"/api/v1/agent/boards/{board}/tasks/{task}"
            await agent.post(f"{path}/completions", json=work | shown | {"status": "done"})
        await site.task(board, f"Go on with {WORDS}", tag_ids=[tag["id"]])
        await agent.post(f"/api/v1/agent/boards/{board}/claims", json={"lease_seconds": 900})
    await site.task(board, "Wait", assigned_agent_id=busy["id"])
    budget = await site.make("/budgets", agent_id=busy["id"], unit="tokens", limit=18_000)
    await site.make(f"/agents/{busy['id']}/tokens", overlap_seconds=3600, name=WORDS, scopes=["work"])
    await site.api.patch(f"/api/v1/agents/{busy['id']}", json={"soul_template": "Be calm."})
    fresh = await site.make("/agents", name="Thebe", board_id=board)
    yield {"busy": f"/agents/{busy['id']}", "fresh": f"/agents/{fresh['id']}"}
    await site.api.delete(f"/api/v1/budgets/{budget['id']}")


@pytest.mark.parametrize("who", ["busy", "fresh"])
async def test_axe_finds_nothing_on_every_tab(agents: dict[str, str], site: Site, walker: Page, who: str) -> None:
    broken = {}
    for tab in TABS:
        await walker.goto(site.url + agents[who] + tab)
        await walker.evaluate("for (const one of document.querySelectorAll('#agent-tab details')) one.open = true")
        broken[tab] = await found(walker)
    assert not any(broken.values()), broken


async def test_axe_finds_nothing_in_what_they_used(agents: dict[str, str], site: Site, walker: Page) -> None:
    for by in ("agent", "model"):
        await walker.goto(f"{site.url}/agents/usage?by={by}")
        await expect(walker.get_by_role("table").first).to_contain_text("not known")
        assert not await found(walker)


async def test_axe_finds_nothing_in_every_dialog(agents: dict[str, str], site: Site, walker: Page) -> None:
    broken = {}
    for name, tab in DIALOGS.items():
        await walker.goto(site.url + agents["busy"] + tab)
        await expect(walker.locator("html")).to_have_attribute("data-connection", "live")
        if name == "Delete the agent":
            await walker.get_by_role("button", name="More for Amalthea").click()
        await walker.get_by_role("link", name=name, exact=True).first.click()
        await expect(walker.get_by_role("dialog")).to_be_visible()
        broken[name] = await found(walker)
    assert not any(broken.values()), broken


async def test_axe_finds_nothing_in_secrets_refusals_and_states(agents: dict[str, str], open_page: Open) -> None:
    page = await open_page(agents["fresh"] + "/inbox", width=320)
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    await page.keyboard.press("c")
    await page.get_by_label("Address").fill("https://127.0.0.1/")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert").first).to_contain_text("may not be reached")
    assert await found(page) == []
    await page.get_by_label("Address").fill(f"https://agent.example/{'x' * 60}")
    await page.keyboard.press("Enter")
    await expect(page.locator("#callback-secret")).to_be_visible()
    assert await found(page) == []
    await page.get_by_role("button", name="Done").click()
    await page.keyboard.press("p")
    await expect(page.locator("#agent-banner")).to_contain_text("Thebe is paused")
    assert await found(page) == []
    await page.goto(page.url.partition("/agents/")[0] + agents["fresh"] + "/tokens")
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    await page.keyboard.press("c")
    await page.get_by_role("button", name="Create the token").click()
    await expect(page.locator("#token")).to_be_visible()
    assert await found(page) == []
    await page.get_by_role("button", name="Done").click()
    await page.keyboard.press("p")
    await expect(page.locator("#agent-banner")).to_be_empty()
