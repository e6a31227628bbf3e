"""The connected programs as pages: the list, one of them with checks and sessions, and ending it."""

import pytest

from mission_control.agents.models import Connection
from mission_control.core import times
from mission_control.people.models import Token
from mission_control.runs.connect_pages import Wanted
from tests.cast import Cast
from tests.devices import connected
from tests.visitor import visitor

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
        page.has("Claude Code (Cleo) on cleo-laptop", made["connection_id"], "last sign")
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


async def test_settings_list_the_programs_that_a_person_connected(cast: Cast) -> None:
    _, made = await connected(cast, cast.cleo, host_label="cleo-laptop")
    cleo, ada = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.ada)
    path = f"/agents/connected/{made['connection_id']}/endings"
    (await cleo.get("/settings/sign-in")).has("Claude Code (Cleo) on cleo-laptop", path)
    (await ada.get("/settings/sign-in")).lacks("cleo-laptop")
    (await cleo.post(path)).is_status(303)
    (await cleo.get("/settings/sign-in")).lacks("cleo-laptop")


@pytest.mark.parametrize(("client", "line"), [
    ("claude-code", "client.pyz connect claude-code"),
    ("codex", "client.pyz connect codex --check"),
    ("opencode", "client.pyz connect opencode --check"),
    ("gemini", "client.pyz connect gemini --check"),
    ("other", "python3 client.pyz claim --wait"),
    ("nonsense", "client.pyz connect claude-code"),
])  # fmt: skip
async def test_page_has_the_lines_of_what_somebody_runs(cast: Cast, client: str, line: str) -> None:
    page = await (await visitor(cast.app, cast.dan)).get(f"/agents/connect?client={client}")
    does, does_not = ("sign-in", "connect") if client == "other" else ("connect", "sign-in")
    page.has(line, f"client.pyz {does}", "run the first line").lacks("/agents/new", f"client.pyz {does_not}")
    ada = await (await visitor(cast.app, cast.ada)).get(f"/agents/connect?client={client}")
    ada.has("/agents/new", "/gateways")


async def test_first_signs_come_by_themselves(cast: Cast) -> None:
    browser = await visitor(cast.app, cast.cleo)
    async with browser.watching("/agents/connect/live?after=0") as page:
        program, _ = await connected(cast, cast.cleo, host_label="cleo-laptop")
        await page.until("on cleo-laptop")
        (await program.call("PUT", "/connect/connection", REPORT)).ok()
        await page.until("9 of 9 hooks answered")
        session = {"external_id": "s1", "title": "Cache the pages"}
        (await program.post("/agent/reports", {"session": session, "items": [{"key": "1", "title": "Ran"}]})).ok()
        await page.until("Cache the pages")
    (await (await visitor(cast.app, cast.ada)).get("/agents/connect")).has("run the first line")


def test_line_allows_http_where_the_server_has_nothing_else() -> None:
    lines = [Wanted("other", base).sign_in for base in ("https://a.example", "http://127.0.0.1:8000", "http://a.lan")]
    assert [line.rpartition("sign-in")[2] for line in lines] == ["", "", " --allow-http"]


async def test_line_for_a_board_names_it(cast: Cast) -> None:
    page = await (await visitor(cast.app, cast.ada)).get(f"/agents/connect?client=codex&board={cast.board.id}")
    page.has(f"connect codex --board {cast.board.id}", f"?client=gemini&amp;board={cast.board.id}")
    page.has(f"/agents/new?board={cast.board.id}")
    (await (await visitor(cast.app, cast.ada)).get("/agents/connect?board=$(id)")).lacks("--board", "$(id)")


async def test_program_whose_token_expired_is_among_those_that_ended(cast: Cast) -> None:
    _, made = await connected(cast)
    await Token.filter(connection_id=made["connection_id"]).update(expires_at=times.clock_now())
    page = await (await visitor(cast.app, cast.ada)).get("/agents/connected")
    page.has("No program is connected", "1 that ended", "Expired")
    (await (await visitor(cast.app, cast.ada)).get(f"/agents/connected/{made['connection_id']}")).has("has expired")
