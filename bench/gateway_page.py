"""How long an event of a gateway takes to the frame that shows it: `python -m bench.gateway_page [--events 20]`.

A gateway of the tests tells the next word of an agent's answer, and an open page of the session shows it: the median
and the slowest, in milliseconds. Chromium is that of `CHROMIUM`, else /usr/bin/chromium.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import httpx
from playwright.async_api import Page, async_playwright

from bench.live_page import FLAGS, ROOT, served
from bench.server import TOKEN
from tests.gateways.fake import FakeGateway
from tests.gateways.fake_state import FakeAgent

KEY = "agent:vega:main"
EVENTS = 20
BETWEEN_SECONDS = 0.3  # longer than pages wait for more of a short text
# The moment of the first frame in which the live part of the transcript has a word, in milliseconds since 1970.
SHOWN_AT = """(word) => new Promise((resolve) => {
    const look = () => document.getElementById("transcript-live").textContent.includes(word);
    const now = () => performance.timeOrigin + performance.now();
    const done = () => requestAnimationFrame(() => setTimeout(() => resolve(now())));
    const observer = new MutationObserver(() => { if (look()) { observer.disconnect(); done(); } });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
})"""


async def measured(folder: Path, events: int = EVENTS) -> list[float]:
    with served(ROOT, folder) as server:
        async with FakeGateway() as fake, httpx.AsyncClient(base_url=server.url, timeout=60) as api:
            fake.state.agents["vega"] = FakeAgent("vega", "Vega", "/ws/vega")
            fake.state.session(KEY).add("user", "Hello.")
            api.headers["Sec-Fetch-Site"] = "same-origin"
            owner = {"name": "Ada", "email": "ada@example.org", "password": "a long enough password"}
            answer = await api.post("/setup", data={"code": TOKEN, "organization_name": "Bench", **owner})
            body = {"name": "Bench", "url": fake.url, "workspace_root": "~", "token": fake.token}
            made = (await api.post("/api/v1/gateways", json=body)).raise_for_status().json()
            path = f"{server.url}/gateways/{made['id']}/sessions/{quote(KEY, safe='')}"
            return await _in_browser(fake, server.url, path, answer.cookies["mission_control"], events)


async def _in_browser(fake: FakeGateway, url: str, path: str, cookie: str, events: int) -> list[float]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or "/usr/bin/chromium", args=FLAGS
        )
        context = await browser.new_context()
        await context.add_cookies([{"name": "mission_control", "value": cookie, "url": url}])
        page = await context.new_page()
        await page.goto(path)
        await page.wait_for_selector("html[data-connection=live]")
        await _tell(fake, "lifecycle", phase="start")
        await page.wait_for_selector(".entry-status")
        found = [await _one(fake, page, number) for number in range(events)]
        await browser.close()
        return found


async def _one(fake: FakeGateway, page: Page, number: int) -> float:
    shown = asyncio.ensure_future(page.evaluate(SHOWN_AT, f"word{number}."))
    await asyncio.sleep(BETWEEN_SECONDS)
    began = time.time() * 1000
    await _tell(fake, "assistant", text=" ".join(f"word{one}." for one in range(number + 1)), itemId="i")
    return float(await shown) - began


async def _tell(fake: FakeGateway, stream: str, **data: str) -> None:
    about = {"runId": "r1", "sessionKey": KEY, "agentId": "vega", "seq": 1, "ts": 1}
    await fake.emit("agent", {**about, "stream": stream, "data": data})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.gateway_page", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measured(Path(folder) / "data", parser.parse_args().events))
    print(f"event to pixel: median {statistics.median(found):.0f} ms, slowest {max(found):.0f} ms")


if __name__ == "__main__":
    main()
