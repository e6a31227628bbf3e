"""The page of one need and Home on a slow line: `python -m bench.slow_line [--latency 400] [--kilobits 400]`.

For each, the first time and the next: milliseconds until it is drawn and until its modules run, requests and bytes of
the line; then those from pressing an answer until what became of it is shown. Chromium is that of `CHROMIUM`. No
service worker keeps anything here, so that the bytes are those of the line.
"""

import argparse
import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import CDPSession, Page, async_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, Site, served, set_up
from tests.browser.test_home import ask

DRAWN = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const paint = performance.getEntriesByType("paint").find((one) => one.name === "first-contentful-paint");
  return [paint.startTime, page.domContentLoadedEventEnd];
}"""
PRESSED = """() => new Promise((done) => {
  const began = performance.now();
  new MutationObserver(() => { if (document.getElementById("one-after")) done(performance.now() - began); })
    .observe(document.body, { childList: true, subtree: true });
  document.querySelector("button[value=approve]").click();
})"""


async def measured(folder: Path, line: dict[str, Any]) -> list[str]:
    with served(folder) as found:
        async with set_up(*found) as site, async_playwright() as playwright:
            board = await site.board()
            rows = [await ask(site, board, action) for action in ("publish", "deploy")]
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            lines = []
            for name, path in (
                ("one need", f"/needs/approval:{rows[0].removeprefix('need-approval-')}"),
                ("Home", "/"),
            ):
                page, session = await _page(browser, site, line)
                lines += [
                    f"{name}, {how}: {await _opened(page, session, site.url + path)}" for how in ("first", "next")
                ]
                if name == "one need":
                    lines.append(f"from a press to what became of it: {await page.evaluate(PRESSED):.0f} ms")
            await browser.close()
            return lines


async def _page(browser: Any, site: Site, line: dict[str, Any]) -> tuple[Page, CDPSession]:
    phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    context = await browser.new_context(service_workers="block", **phone)
    await context.add_cookies([{"name": "mission_control", "value": site.cookie, "url": site.url}])
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    await session.send("Network.enable")
    await session.send("Network.emulateNetworkConditions", line)
    return page, session


async def _opened(page: Page, session: CDPSession, url: str) -> str:
    sizes: dict[str, float] = {}
    session.on("Network.loadingFinished", lambda one: sizes.update({one["requestId"]: one["encodedDataLength"]}))
    await page.goto(url)
    await page.wait_for_selector("html[data-connection=live]")
    drawn, runs = await page.evaluate(DRAWN)
    sent = [size for size in sizes.values() if size]
    return f"drawn after {drawn:.0f} ms, modules after {runs:.0f} ms; {len(sent)} requests, {sum(sent):.0f} bytes"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.slow_line", description=__doc__)
    parser.add_argument("--latency", type=int, default=400, help="milliseconds that each request waits")
    parser.add_argument("--kilobits", type=int, default=400, help="of the line in a second, each way")
    options = parser.parse_args()
    bytes_a_second = options.kilobits * 125
    line = {"offline": False, "latency": options.latency}
    line |= {"downloadThroughput": bytes_a_second, "uploadThroughput": bytes_a_second}
    print(f"load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="mc-bench-") as name:
        for one in asyncio.run(measured(Path(name), line)):
            print(one)


if __name__ == "__main__":
    main()
