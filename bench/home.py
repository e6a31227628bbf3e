"""Home with 300 things that wait, of every kind: `python -m bench.home [--number 300]`.

How the page loads (bytes, milliseconds until its last byte), and how long the focus takes from the key that answers a
row to the next row, from the first to the last: median and 95th percentile. Chromium is that of `CHROMIUM`.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

import httpx
from playwright.async_api import async_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, Site, served, set_up
from tests.browser.test_home_keys import put, walk

LOOKS = 20


async def measured(folder: Path, number: int) -> list[str]:
    with served(folder) as found:
        async with set_up(*found) as site:
            await put(site, folder, number)
            lines = [await _loading(site, path) for path in ("/", "/?all=1")]
            return [*lines, await _keys(site)]


async def _loading(site: Site, path: str) -> str:
    cookies = {"mission_control": site.cookie}
    async with httpx.AsyncClient(base_url=site.url, cookies=cookies, headers={"Accept-Encoding": "gzip"}) as client:
        took = []
        for _ in range(LOOKS):
            began = time.perf_counter()
            answer = await client.get(path)
            took.append(1000 * (time.perf_counter() - began))
    sent, whole = answer.num_bytes_downloaded, len(answer.content)
    return f"GET {path}: {whole} bytes, {sent} compressed; {statistics.median(took):.0f} ms, least {min(took):.0f} ms"


async def _keys(site: Site) -> str:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await browser.new_context()
        await context.add_cookies([{"name": "mission_control", "value": site.cookie, "url": site.url}])
        page = await context.new_page()
        await page.goto(site.url)
        await page.wait_for_selector("html[data-connection=live]")
        answered, took = await walk(page, 10_000)
        await browser.close()
    took.sort()
    middle, late = statistics.median(took), took[int(0.95 * len(took))]
    return f"{answered.total()} rows answered; key to next row: median {middle:.0f} ms, 95th percentile {late:.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.home", description=__doc__)
    parser.add_argument("--number", type=int, default=300)
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="mc-bench-") as name:
        for line in asyncio.run(measured(Path(name), options.number)):
            print(line)


if __name__ == "__main__":
    main()
