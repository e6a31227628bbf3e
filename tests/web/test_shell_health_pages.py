"""A check of /readyz that fails is told to open pages, with its reason to those who can mend it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from html import unescape

import pytest

from mission_control.database.sql import rows
from mission_control.home.shell_health import FOR_OTHERS, WELL, look
from tests.cast import Cast, Person
from tests.visitor import Visitor, visitor

REASON = "1 migration of the database is not applied."
Act = Callable[[], Awaitable[None]]


async def opened(cast: Cast, person: Person) -> tuple[Visitor, str]:
    """Somebody at their profile, which has no news of its own, and the address of its stream."""
    browser = await visitor(cast.app, person)
    page = (await browser.get("/settings/profile")).is_status(200)
    assert "data-health></p>" in page.text
    return browser, unescape(page.text.split('hx-sse:connect="')[1].split('"')[0])


@pytest.fixture
async def health(cast: Cast) -> AsyncIterator[tuple[Act, Act]]:
    """Two functions: forget that the newest migration was applied, and remember it; each looks at the checks then."""
    [newest] = await rows("SELECT id, version, app, content FROM aerich ORDER BY id DESC LIMIT 1")

    async def break_it() -> None:
        await rows("DELETE FROM aerich WHERE id = ?", newest["id"])
        await look(cast.app)

    async def mend_it() -> None:
        if not await rows("SELECT 1 FROM aerich WHERE id = ?", newest["id"]):
            await rows("INSERT INTO aerich (id, version, app, content) VALUES (?, ?, ?, ?)", *newest.values())
        await look(cast.app)

    yield break_it, mend_it
    await mend_it()


async def test_open_pages_learn_what_fails_and_that_nothing_does_any_more(cast: Cast, health: tuple[Act, Act]) -> None:
    break_it, mend_it = health
    (ada, owners), (cleo, members) = await opened(cast, cast.ada), await opened(cast, cast.cleo)
    async with ada.watching(owners) as admin, cleo.watching(members) as member:
        await break_it()
        assert REASON in await admin.until("#announcements")
        seen = await member.until("#announcements")
        assert FOR_OTHERS in seen and "migration" not in seen
        assert REASON in (await ada.get("/settings/profile")).text
        page = (await cleo.get("/settings/profile")).text
        assert FOR_OTHERS in page and REASON not in page
        await mend_it()
        await admin.until(WELL)
        await member.until(WELL)
    assert "data-health></p>" in (await ada.get("/settings/profile")).text


async def test_same_trouble_is_told_once(cast: Cast, health: tuple[Act, Act]) -> None:
    ada, live = await opened(cast, cast.ada)
    async with ada.watching(live) as watch:
        for _ in range(3):
            await health[0]()
        (await cast.ada.patch(cast.home, {"name": "Another"})).ok()
        assert (await watch.until("Another")).count("The server is degraded") == 1
