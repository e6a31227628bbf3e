"""What Lighthouse says of the pages: `python -m bench.lighthouse [--page home --page board] [--keep FOLDER]`.

It starts a server of its own with a board of 200 cards, and lets Lighthouse (npm, the version locked in
`lighthouse_packages`) rate home, boards, the board and approvals, as on a desktop and as on a phone: performance,
accessibility, best practices and SEO, from 0 to 100. Beside that, what a page loads (requests, kilobytes as they come
over the line); below, what keeps a page from 100. Chromium is that of `CHROMIUM`, else /usr/bin/chromium.
"""

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import async_playwright

from bench.live_page import FLAGS, ROOT, furnished, served
from bench.server import Server
from tests.node_packages import install

CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
FORMS = ("desktop", "mobile")
PAGES = ("home", "boards", "board", "approvals")
LONGEST_SECONDS = 180


@contextmanager
def browser(folder: Path, url: str, cookie: str) -> Iterator[int]:
    """Start a Chromium that is signed in, and return the port of its debugger."""
    program = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
    flags = [*FLAGS, "--remote-debugging-port=0", f"--user-data-dir={folder}"]
    process = subprocess.Popen([program, *flags, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        says = folder / "DevToolsActivePort"
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline and not (says.exists() and says.read_text()):
            time.sleep(0.1)
        port = int(says.read_text().split()[0])
        asyncio.run(_sign_in(port, url, cookie))
        yield port
    finally:
        process.terminate()
        process.wait(20)


async def _sign_in(port: int, url: str, cookie: str) -> None:
    async with async_playwright() as playwright:
        connected = await playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
        await connected.contexts[0].add_cookies([{"name": "mission_control", "value": cookie, "url": url}])


def rate(program: Path, url: str, form: str, port: int, into: Path) -> dict[str, Any]:
    """Return Lighthouse's report on a page, which is also written to `into`. Raises RuntimeError when it fails."""
    command = [
        str(program), url, "--quiet", "--output=json", f"--output-path={into}", f"--port={port}",
        f"--only-categories={','.join(CATEGORIES)}", "--disable-storage-reset",
        # Pages keep a stream open, so they are never without a request: that is not waited for any longer than needed.
        "--max-wait-for-load=20000",
    ]  # fmt: skip
    command += ["--preset=desktop"] if form == "desktop" else []
    ran = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
    if ran.returncode:
        raise RuntimeError(f"Lighthouse failed on {url}: {(ran.stdout + ran.stderr).strip()[-2000:]}")
    report: dict[str, Any] = json.loads(into.read_text())
    return report


def scores(report: dict[str, Any]) -> list[int]:
    return [round(100 * (report["categories"][name]["score"] or 0)) for name in CATEGORIES]


def loaded(report: dict[str, Any]) -> str:
    """Return what the page loaded, in requests and kilobytes."""
    items = report["audits"]["network-requests"]["details"]["items"]
    kinds = [(one.get("resourceType"), one.get("transferSize") or 0) for one in items]
    code = sum(size for kind, size in kinds if kind in ("Script", "Stylesheet"))
    everything = sum(size for _, size in kinds)
    return f"{len(kinds)} requests, {everything / 1000:.0f} KB, scripts and styles {code / 1000:.0f} KB"


def shortcomings(report: dict[str, Any]) -> Iterator[str]:
    """Return what costs points, with what Lighthouse shows of it."""
    for name in CATEGORIES:
        for part in report["categories"][name]["auditRefs"]:
            audit = report["audits"][part["id"]]
            if part["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                shown = audit.get("displayValue") or audit.get("errorMessage") or _items(audit)
                yield f"{name}: {audit['title']} ({shown})"


def _items(audit: dict[str, Any]) -> str:
    items = (audit.get("details") or {}).get("items") or []
    return "; ".join((item.get("node") or {}).get("snippet") or json.dumps(item)[:160] for item in items[:3])


async def addresses(server: Server) -> tuple[str, dict[str, str]]:
    """Furnish a new server; return the session of its owner, and the address of each page."""
    async with httpx.AsyncClient(base_url=server.url, headers={"Sec-Fetch-Site": "same-origin"}, timeout=60) as api:
        site = await furnished(api, server)
        for number in range(12):
            asked = {
                "action_type": "deploy.release",
                "confidence": 60 + number,
                "payload": {"reason": f"Release {number}"},
            }
            (await api.post(f"/api/v1/boards/{site.board}/approvals", json=asked)).raise_for_status()
        paths = {"home": "/", "boards": "/boards", "board": f"/boards/{site.board}", "approvals": "/approvals"}
        return site.cookie, {name: server.url + path for name, path in paths.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.lighthouse", description=__doc__)
    parser.add_argument("--page", action="append", choices=PAGES, help="only this page; may be repeated")
    parser.add_argument("--keep", type=Path, help="a folder for the whole reports")
    options = parser.parse_args()
    program = install(Path(__file__).parent / "lighthouse_packages") / "node_modules" / ".bin" / "lighthouse"
    print(f"{time.strftime('%F %T')}; Python {sys.version_info.major}.{sys.version_info.minor}; a board of 200 cards")
    print(f"| Page | as on | {' | '.join(CATEGORIES)} | loads |\n|---|---|{'---|' * (len(CATEGORIES) + 1)}")
    with tempfile.TemporaryDirectory(prefix="mc-lighthouse-") as folder:
        notes = _rated(options.page or PAGES, program, Path(folder), options.keep or Path(folder))
    print("\n".join(["", *dict.fromkeys(notes)]))


def _rated(names: list[str] | tuple[str, ...], program: Path, folder: Path, keep: Path) -> list[str]:
    keep.mkdir(parents=True, exist_ok=True)
    notes = []
    with served(ROOT, folder / "data") as server:
        cookie, pages = asyncio.run(addresses(server))
        for name, form in itertools.product(names, FORMS):
            with browser(folder / f"browser-{name}-{form}", server.url, cookie) as port:  # with nothing in its cache
                report = rate(program, pages[name], form, port, keep / f"{name}-{form}.json")
            cells = " | ".join(str(score) for score in scores(report))
            print(f"| {name} | {form} | {cells} | {loaded(report)} |", flush=True)
            notes += [f"{name}, {form}: {one}" for one in shortcomings(report)]
    return notes


if __name__ == "__main__":
    main()
