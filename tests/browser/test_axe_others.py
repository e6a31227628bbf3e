"""Nothing for axe to find on the entrance, approvals, agents, settings, documentation, palette and error pages."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site, Watched
from tests.browser.looks import found

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
NAMES = (
    "sign in", "sign in refused", "approvals", "approvals of a board", "approval", "send back", "agents", "new agent",
    "agent", "edit agent", "delete agent", "token", "settings", "documentation", "public documentation", "operations",
    "palette", "notifications", "notification settings", "offline", "gateway requests", "not found", "gateways",
    "new gateway", "gateway", "edit gateway", "delete gateway",
)  # fmt: skip
PUBLIC = {"sign in", "sign in refused", "public documentation", "not found"}


@pytest.fixture(scope="session")
async def places(site: Site) -> dict[str, str]:
    """Pages with something on them."""
    board = await site.board(name="Observatory hill")
    task = await site.task(board, "Align the finder")
    agent = await site.make("/agents", name="Polaris", board_id=board, soul_template="Be **kind**.")
    asked = {"confidence": 64, "lead_reasoning": "See `log`.", "rubric_scores": {"safety": 80, "clarity": 7}}
    waiting = await site.make(f"/boards/{board}/approvals", action_type="move.mount", task_ids=[task], **asked)
    decided = await site.make(f"/boards/{board}/approvals", action_type="open.dome", **asked)
    change = {"decision": "changes_requested", "note": "Wait for the wind."}
    await site.api.patch(f"/api/v1/boards/{board}/approvals/{decided['id']}", json=change)
    made = await site.make("/gateways", name="Basement", url="ws://127.0.0.1:9", workspace_root="~/.openclaw")
    gateway = f"/gateways/{made['id']}"
    one, agents = f"/boards/{board}/approvals/{waiting['id']}", f"/agents/{agent['id']}"
    return {
        "sign in": "/sign-in", "sign in refused": "/sign-in", "approvals": "/approvals",
        "approvals of a board": f"/boards/{board}/approvals", "approval": one, "send back": one + "/send-back",
        "agents": "/agents", "new agent": "/agents/new", "agent": agents, "edit agent": agents + "/edit",
        "delete agent": agents + "/delete", "token": agents + "/tokens/new", "settings": "/settings",
        "documentation": "/docs/agent-worker", "public documentation": "/docs",
        "operations": "/docs?q=approvals", "palette": "/palette?q=a",
        "notifications": "/notifications", "notification settings": "/settings/notifications", "offline": "/offline",
        "gateway requests": f"{gateway}/requests",
        "not found": "/nowhere", "gateways": "/gateways", "new gateway": "/gateways/new", "gateway": gateway,
        "edit gateway": gateway + "/edit", "delete gateway": gateway + "/delete",
    }  # fmt: skip


async def prepare(page: Page, name: str) -> None:
    if name == "sign in refused":
        await page.get_by_label("E-mail").fill("ada@example.org")
        await page.get_by_label("Password", exact=True).fill("not the password")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_be_visible()
    if name == "token":
        await page.get_by_role("button", name="Create the token").click()
        await expect(page.locator("#token")).to_be_visible()
    if name.endswith("documentation"):
        unfold = "for (const one of [...document.querySelectorAll('.operation')].slice(0, 8)) one.open = true"
        await page.evaluate(unfold)


@pytest.mark.parametrize("name", NAMES)
async def test_axe_finds_nothing(
    places: dict[str, str], site: Site, open_page: Open, walker: Page, watched: Watched, name: str
) -> None:
    watched.forgiven = "status of 40[14]" if name in PUBLIC else "^$"  # the page itself, and a stream that was left
    page = await open_page(places[name], signed_in=False) if name in PUBLIC else walker
    await page.goto(site.url + places[name])
    await prepare(page, name)
    assert await found(page) == []


async def test_axe_finds_nothing_in_dialogs(places: dict[str, str], site: Site, walker: Page) -> None:
    await walker.goto(site.url + places["approvals of a board"])
    await expect(walker.locator("html")).to_have_attribute("data-connection", "live")  # the scripts have come
    await walker.keyboard.press("r")
    await expect(walker.get_by_role("dialog")).to_be_visible()
    assert await found(walker) == []
    await walker.goto(site.url + places["agent"])
    await expect(walker.locator("html")).to_have_attribute("data-connection", "live")
    await walker.keyboard.press("Control+k")
    await expect(walker.locator("#palette-results [role=option]").first).to_be_visible()
    assert await found(walker) == []
