"""The connected programs as pages: the list, one of them with checks and sessions, and ending it."""

from mission_control.agents.models import Connection
from tests.cast import Cast
from tests.devices import connected
from tests.pages.visitor import visitor

REPORT = {
    "client_version": "2.1.332",
    "checks": [
        {"name": "Timeline", "state": "ok", "text": "9 of 9 hooks answered"},
        {"name": "Cost", "state": "failed", "text": "nothing arrives"},
    ],
}


async def test_list_shows_ones_own_and_admins_all(cast: Cast) -> None:
    _, made = await connected(cast, cast.cleo, host_label="cleo-laptop")
    for person in (cast.cleo, cast.ada):
        page = await (await visitor(cast.app, person)).get("/agents/connected")
        page.has("Claude Code (Cleo) on cleo-laptop", made["connection_id"], "no sign yet")
    for other in (cast.dan, cast.eve):
        browser = await visitor(cast.app, other)
        (await browser.get("/agents/connected")).has("No program is connected").lacks("cleo-laptop")
        (await browser.get(f"/agents/connected/{made['connection_id']}")).is_status(404)
        (await browser.post(f"/agents/connected/{made['connection_id']}/endings")).is_status(404)


async def test_page_shows_checks_sessions_and_rights(cast: Cast) -> None:
    program, made = await connected(cast, board=cast.board.name)
    browser = await visitor(cast.app, cast.ada)
    url = f"/agents/connected/{made['connection_id']}"
    (await browser.get(url)).has("No session yet", cast.board.name, "put off by each use").lacks("checks-title")
    (await program.call("PUT", "/connect/connection", REPORT)).ok()
    session = {"external_id": "s1", "client": "claude-code", "title": "Cache the pages"}
    (await program.post("/agent/reports", {"session": session, "items": [{"key": "1", "title": "Ran tests"}]})).ok()
    page = await browser.get(url)
    page.has("Claude Code 2.1.332", "1 of 2", "9 of 9 hooks answered", "Cost does not work", "Cache the pages")
    (await browser.get("/agents/connected")).has("Cost fails")


async def test_page_is_live(cast: Cast) -> None:
    program, made = await connected(cast)
    browser = await visitor(cast.app, cast.ada)
    url = f"/agents/connected/{made['connection_id']}"
    async with browser.watching(f"{url}/live?after=0") as page, browser.watching("/agents/connected/live") as listed:
        (await program.call("PUT", "/connect/connection", REPORT)).ok()
        await page.until("9 of 9 hooks answered")
        await listed.until("Cost fails")
        (await cast.ben.delete(f"/connections/{made['connection_id']}")).ok()
        await page.until("It was disconnected")
        await listed.until("1 that ended")


async def test_disconnecting_ends_the_program_at_once(cast: Cast) -> None:
    program, made = await connected(cast, cast.cleo)
    browser = await visitor(cast.app, cast.cleo)
    url = f"/agents/connected/{made['connection_id']}"
    (await browser.get(url)).has("Disconnect")
    (await browser.post(f"{url}/endings")).is_status(303)
    (await program.get("/agent/healthz")).refused(401)
    (await browser.get(url)).has("It was disconnected").lacks("Disconnect</span>")
    (await browser.get("/agents/connected")).has("1 that ended")
    assert (await Connection.get()).ended_at is not None


async def test_tokens_of_the_agent_list_that_of_a_connection(cast: Cast) -> None:
    await connected(cast, board=cast.board.name, agent=f"{cast.board.id}:{cast.vega.id}")
    page = await (await visitor(cast.app, cast.ada)).get(f"/agents/{cast.vega.id}/tokens")
    page.has("Claude Code, mara-laptop", "Reads and works").lacks("Replaced")
