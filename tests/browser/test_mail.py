"""From a need to a mail, from its link to the answer, and to no more mail, in a real Chromium; axe on the mails."""

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from mission_control.core.settings import Settings
from tests.browser.conftest import PATIENCE, Open, Site, served, set_up
from tests.browser.looks import found
from tests.mail import Post, mail_box

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


@pytest.fixture(scope="module")
async def mails(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Site, Post]]:
    """A fresh installation that sends mail to a server of this process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with mail_box(Settings.from_environment({"SECRET_KEY": "x" * 50})) as (post, settings):
        sends = {"SMTP_URL": settings.smtp_url, "MAIL_FROM": settings.mail_from}
        folder, address = tmp_path_factory.mktemp("mails"), f"http://127.0.0.1:{port}"
        with served(folder, port=port, BASE_URL=address, **sends) as server:
            async with set_up(*server) as site:
                yield site, post


async def arrival(post: Post, after: int = 0) -> EmailMessage:
    """Wait for the mail after so many."""
    async with asyncio.timeout(PATIENCE):
        while len(post.mails) <= after:
            await asyncio.sleep(0.05)
    return post.mails[after]


async def ask(site: Site, board: str, *reasons: str) -> None:
    """Let approvals wait since long ago, so that mail about them is due, to somebody who has looked away since."""
    for reason in reasons:
        asked = {"action_type": "deploy", "confidence": 80, "lead_reasoning": reason, "payload": {"to": "production"}}
        await site.make(f"/boards/{board}/approvals", **asked)
    with closing(sqlite3.connect(site.database)) as database, database:
        database.execute("UPDATE approvals SET created_at = '2026-01-05T09:00:00'")
        database.execute("UPDATE reach_messages SET created_at = '2026-01-05T09:00:00'")
        database.execute("UPDATE reach_settings SET acted_at = NULL")
    await choose(site, next_after=10 + len(reasons))  # lets the server look again


async def choose(site: Site, **chosen: object) -> None:
    answer = await site.api.put("/api/v1/users/me/reach", json={"has_quiet": False, **chosen})
    assert answer.status_code == 200, answer.text


async def read(page: Page, mail: EmailMessage, site: Site) -> list[str]:
    """Show a mail, and return where its links lead."""
    part = mail.get_body(("html",))
    assert part is not None
    await page.set_content(str(part.get_content()))
    assert await found(page) == []
    links = await page.evaluate("[...document.querySelectorAll('a')].map((one) => one.href)")
    assert all(one.startswith(f"{site.url}/") for one in links)
    return [urlsplit(one).path for one in links]


async def test_mail_leads_to_the_answer_and_to_no_more_mail(
    mails: tuple[Site, Post], chromium: Browser, open_page: Open
) -> None:
    site, post = mails
    await site.api.patch("/api/v1/users/me", json={"timezone": "UTC"})  # asked for at the first visit otherwise
    await choose(site)
    board = await site.board(name="Payments")
    await ask(site, board, "Tests are green.")
    program = await (await chromium.new_context(viewport={"width": 600, "height": 900})).new_page()
    link, settings, stop = await read(program, await arrival(post), site)
    await expect(program.get_by_role("heading", name="Approve: Deploy")).to_be_visible()
    page = await open_page(link, width=390, base=site.url, signed_in=False)
    await page.get_by_label("E-mail").fill("ada@example.org")
    await page.get_by_label("Password", exact=True).fill("a long enough password")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/needs/**")
    await page.get_by_role("button", name="Approve").first.click()
    await expect(page.get_by_text("Approved").first).to_be_visible()
    assert settings == "/settings/notifications"
    page = await open_page(stop, width=390, base=site.url, signed_in=False)
    assert await found(page) == []
    await page.get_by_role("button", name="End mail").click()
    await expect(page.get_by_role("heading", name="No more mail")).to_be_visible()
    assert await found(page) == []
    assert not (await site.api.get("/api/v1/users/me/reach")).json()["mail"]
    await ask(site, board, "One", "Two", "Three")
    digest = await arrival(post, 1)
    assert digest["Subject"] == "3 things wait for you"
    await read(program, digest, site)
    await program.context.close()
