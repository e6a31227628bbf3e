"""A terminal is signed in from a browser, works, and is signed out again."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open, Site
from tests.client.terminal import Terminal, ended

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


async def asking(site: Site, folder: Path, *arguments: str) -> tuple[Terminal, asyncio.subprocess.Process, str]:
    """A terminal that waits for its person, and the address that it shows, without the server's."""
    terminal = Terminal(folder)
    terminal.fetch(site.url)
    process = await terminal.start("sign-in", *arguments)
    assert process.stdout is not None
    printed = ""
    while not (found := re.search(r"^https?://[^/]+(/device\?\S+)$", printed, re.MULTILINE)):
        line = (await process.stdout.readline()).decode()
        assert line, await ended(process)
        printed += line
    return terminal, process, found[1]


async def test_terminal_is_signed_in_by_one_press(site: Site, open_page: Open, tmp_path: Path) -> None:
    board = await site.board(name="Signing in")
    await site.task(board, "Sand the table")
    terminal, process, address = await asking(site, tmp_path / "home", "--board", "Signing in")
    page = await open_page(address)
    await page.get_by_role("button", name="Approve").click()
    await expect(page.get_by_role("heading", name="Approved")).to_be_visible()
    printed = await ended(process)
    assert printed.code == 0 and "on the board “Signing in”" in printed.out
    assert "Sand the table" in await terminal.done("claim")
    assert "Handed in #1" in await terminal.done("finish", "Sanded.")
    assert "The connection has ended." in await terminal.done("sign-out")
    assert (await terminal.run("status")).code == 4


async def test_refused_terminal_says_so(site: Site, open_page: Open, tmp_path: Path) -> None:
    await site.board(name="Refusing")
    _, process, address = await asking(site, tmp_path / "home")
    page = await open_page(address)
    await page.get_by_role("button", name="Refuse").click()
    printed = await ended(process)
    assert printed.code == 1 and "refused" in printed.err
