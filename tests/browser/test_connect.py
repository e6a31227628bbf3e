"""Letting a terminal in, what is connected, and adding an agent: in a browser, by axe, and as they come alive."""

from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import PATIENCE, Open, Site
from tests.browser.looks import found

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
CLIENT = {"client_id": "mission-control-client", "client": "claude-code", "host_label": "mara-laptop"}
GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture(scope="module")
async def terminal(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A machine of somebody's that knows the address of the server."""
    await site.board(name="Quay", slug="quay")
    async with httpx.AsyncClient(base_url=site.url, timeout=PATIENCE) as client:
        yield client


async def asked(terminal: httpx.AsyncClient, **about: str) -> dict[str, str]:
    sent = CLIENT | {"user_label": "mara", "system": "Linux"} | about
    codes: dict[str, str] = (await terminal.post("/oauth/device_authorization", data=sent)).json()
    return codes


async def signed_in(terminal: httpx.AsyncClient, codes: dict[str, str]) -> dict[str, str]:
    sent = {"client_id": CLIENT["client_id"], "grant_type": GRANT, "device_code": codes["device_code"]}
    made = (await terminal.post("/oauth/token", data=sent)).json()
    return {"Authorization": f"Bearer {made['access_token']}", "X-Connection": made["connection_id"]}


async def test_terminal_is_let_in_by_one_press_and_shows_at_once(
    site: Site, open_page: Open, terminal: httpx.AsyncClient
) -> None:
    page = await open_page("/agents/connect")
    await expect(page.locator("#first-sign")).to_contain_text("run the first line")
    codes = await asked(terminal)
    other = await page.context.new_page()
    await other.goto(f"{site.url}/device?user_code={codes['user_code']}")
    await other.keyboard.press("a")
    await other.keyboard.press("Enter")
    await expect(other.get_by_role("heading", name="Approve a terminal")).to_be_visible()
    await other.get_by_role("button", name="Approve").click()
    await expect(other.get_by_role("heading", name="Approved")).to_be_visible()
    token = await signed_in(terminal, codes)
    await expect(page.locator("#first-sign")).to_contain_text("on mara-laptop")
    session = {"session": {"external_id": "s1", "client": "claude-code", "title": "Cache the pages"}}
    await terminal.post("/api/v1/agent/reports", json=session | {"items": [{"title": "Ran tests"}]}, headers=token)
    await expect(page.locator("#first-sign")).to_contain_text("Cache the pages")
    await page.get_by_role("link", name="See the connection").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("on mara-laptop")
    await page.get_by_role("button", name="Disconnect").click()
    await expect(page.locator("#connection-body")).to_contain_text("It was disconnected")


async def test_terminal_is_refused_without_scripts(site: Site, open_page: Open, terminal: httpx.AsyncClient) -> None:
    codes = await asked(terminal)
    page = await open_page("/device", java_script_enabled=False)
    await page.get_by_label("Code").fill(codes["user_code"].lower().replace("-", ""))
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Refuse").click()
    await expect(page.get_by_role("heading", name="Refused")).to_be_visible()


async def test_axe_finds_nothing(site: Site, walker: Page, terminal: httpx.AsyncClient) -> None:
    codes = await asked(terminal, host_label="a-machine-with-a-long-name.of-an-organization.example.org")
    broken = {}
    for name, path in {"code": "/device", "wrong": "/device?user_code=BCDF-GHJK", "new": "/agents/connect"}.items():
        await walker.goto(site.url + path)
        broken[name] = await found(walker)
    await walker.goto(f"{site.url}/device?user_code={codes['user_code']}")
    broken["question"] = await found(walker)
    await walker.get_by_role("button", name="Approve").click()
    broken["approved"] = await found(walker)
    token = await signed_in(terminal, codes)
    checks = [
        {"name": "Timeline", "text": "9 of 9 hooks answered"},
        {"name": "Cost", "state": "failed", "text": "none"},
    ]
    await terminal.put("/api/v1/connect/connection", json={"checks": checks}, headers=token)
    await terminal.post("/api/v1/agent/reports", json={"items": [{"title": "Ran tests"}]}, headers=token)
    pages = {"one": f"/agents/connected/{token['X-Connection']}", "list": "/agents/connected"}
    pages |= {f"add {name}": f"/agents/connect?client={name}" for name in ("opencode", "gemini", "codex", "other")}
    for name, path in pages.items():
        await walker.goto(site.url + path)
        broken[name] = await found(walker)
    assert not any(broken.values()), broken
