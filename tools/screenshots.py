"""Take the pictures of README.md and docs/ from the demo: `make screenshots`.

Starts a demo of its own in a temporary folder, lets its agents work for a while, and photographs the pages as its owner
sees them. Chromium is that of `CHROMIUM`, else /usr/bin/chromium. A page that logs an error, scrolls sideways or cannot
be opened ends it with that.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
INTO = ROOT / "docs" / "images"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
TO_START_SECONDS = 120
AT_WORK_SECONDS = 60  # until the simulated agents have claimed tasks, handed in, and had answers
DESK, PHONE = (1440, 900), (390, 844)


@dataclass(frozen=True)
class Picture:
    """One picture: its name, the address, what to press before, the size of the window, and the theme."""

    name: str
    path: str
    size: tuple[int, int] = DESK
    theme: str = "light"
    presses: tuple[str, ...] = ()


# `{board}` is the first board of the navigation, `{task}` the first card in progress on it, `{gateway}` the one to be
# paired.
PICTURES = (
    Picture("home", "/"),
    Picture("home-dark", "/", theme="dark"),
    Picture("home-phone", "/", size=PHONE),
    Picture("board", "{board}"),
    Picture("board-task", "{task}"),
    Picture("board-table", "{board}?view=table"),
    Picture("board-phone", "{board}", size=PHONE),
    Picture("approvals", "/approvals"),
    Picture("palette", "{board}", presses=("Control+k",)),
    Picture("agents", "/agents", theme="dark"),
    Picture("gateway-pairing", "{gateway}"),
)


@contextmanager
def demo(folder: str) -> Iterator[tuple[str, str]]:
    """Run a demo; yield its address and the path of the link that signs its owner in."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {**keep, "DATA_DIR": folder, "PYTHONUNBUFFERED": "1"}
    command = [str(Path(sys.executable).parent / "mission-control"), "demo", "--port", "0", "--speed", "3"]
    log = Path(folder) / "demo.log"
    with log.open("w") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)
    try:
        yield _announced(process, log)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _announced(process: "subprocess.Popen[bytes]", log: Path) -> tuple[str, str]:
    deadline = time.monotonic() + TO_START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"demo is at (http://[^/]+)(\S+)\n", log.read_text()):
            return found[1], found[2]
        time.sleep(0.2)
    raise RuntimeError(f"The demo does not start: {log.read_text()}")


def sign_in(browser: Browser, link: str) -> Page:
    page = browser.new_context(reduced_motion="reduce").new_page()
    page.goto(link)
    return page


def take(page: Page, url: str, picture: Picture, places: dict[str, str]) -> None:
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.set_viewport_size({"width": picture.size[0], "height": picture.size[1]})
    page.emulate_media(color_scheme="dark" if picture.theme == "dark" else "light")
    answer = page.goto(url + picture.path.format(**places))
    page.wait_for_selector("html[data-connection=live]")
    for key in picture.presses:
        page.keyboard.press(key)
    page.wait_for_timeout(800)
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    if errors or wide or answer is None or not answer.ok:
        raise RuntimeError(f"{picture.name}: {'; '.join(errors) or ('scrolls sideways' if wide else 'not to be had')}")
    INTO.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=INTO / f"{picture.name}.png")
    print(f"docs/images/{picture.name}.png", flush=True)


def main() -> None:
    wanted = [picture for picture in PICTURES if picture.name in sys.argv[1:] or not sys.argv[1:]]
    with tempfile.TemporaryDirectory(prefix="mc-pictures-") as folder, demo(folder) as (url, link):
        time.sleep(AT_WORK_SECONDS)
        with sync_playwright() as playwright:
            program = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
            browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
            page = sign_in(browser, url + link)
            board = page.get_attribute("#nav-boards a", "href") or "/boards"
            page.goto(url + board)
            task = page.get_attribute("#list-in_progress [data-panel-link]", "href") or board
            page.goto(url)
            gateway = page.get_attribute("#queue [data-kind=gateway] .need-ask a", "href") or "/gateways"
            for picture in wanted:
                take(page, url, picture, {"board": board, "task": task, "gateway": gateway})
            browser.close()


if __name__ == "__main__":
    main()
