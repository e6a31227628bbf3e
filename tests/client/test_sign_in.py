"""Where the program finds its token, and what it refuses to do with one."""

import stat
from pathlib import Path

import pytest

from tests.client.terminal import Terminal
from tests.live.crew import Crew
from tests.live.servers import API, Server

pytestmark = [pytest.mark.database, pytest.mark.once]


@pytest.fixture
def bare(server: Server, tmp_path: Path) -> Terminal:
    """A terminal of somebody who has only fetched the program."""
    terminal = Terminal(tmp_path / "bare")
    terminal.fetch(server.url)
    return terminal


async def test_token_is_stored_for_its_user_alone(made: Crew, bare: Terminal) -> None:
    of_a_repository = "BASE_URL=http://elsewhere.example.org\nAUTH_TOKEN=mca_theirs\n"
    (bare.folder / "AGENTS.md").write_text(of_a_repository)
    nobody = await bare.run("status")
    assert nobody.code == 4 and "You are not signed in. Run `python3 client.pyz sign-in`" in nobody.err
    signed = await bare.run("sign-in", "--with-token", typed=f"{made.vega.token}\n")
    assert signed.code == 0 and made.server.url in signed.out and made.vega.token not in signed.out
    file = bare.config / "connect.env"
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)
    assert file.read_text() == f"MISSION_CONTROL_URL={made.server.url}\nMISSION_CONTROL_TOKEN={made.vega.token}\n"
    assert "Vega works on" in await bare.done("status")
    assert "Signed out" in await bare.done("sign-out")
    assert not file.exists() and (await bare.run("sign-out")).code == 4


async def test_wrong_token_is_not_stored(bare: Terminal) -> None:
    for token in ("mca_wrong", "", "two words"):
        printed = await bare.run("sign-in", "--with-token", typed=f"{token}\n")
        assert printed.code == 4 and printed.err, printed
    assert not (bare.config / "connect.env").exists()


async def test_second_token_does_not_replace_one_that_is_good(made: Crew, bare: Terminal) -> None:
    await bare.run("sign-in", "--with-token", typed=made.vega.token)
    second = await bare.run("sign-in", "--with-token", typed=made.atlas.token)
    assert second.code == 2 and "You are signed in already" in second.err
    assert "Vega works on" in await bare.done("status")
    await made.ask("POST", f"{API}/agents/{made.vega.id}/tokens", {"overlap_seconds": 0})
    assert (await bare.run("status")).code == 4
    assert (await bare.run("sign-in", "--with-token", typed=made.atlas.token)).code == 0
    assert "Atlas leads" in await bare.done("status")
    signed_out = await bare.done("sign-out")
    assert "revoke it on the agent's page" in signed_out


async def test_token_that_cannot_be_kept_is_not_asked_for(made: Crew, bare: Terminal) -> None:
    (bare.folder / ".config").write_text("in the way")
    printed = await bare.run("sign-in", "--with-token", typed=made.vega.token)
    assert printed.code == 4 and "connect.env cannot be read: Not a directory" in printed.err
    work = await bare.run(
        "status",
        MISSION_CONTROL_URL=made.server.url,
        MISSION_CONTROL_TOKEN=made.vega.token,
        XDG_STATE_HOME="/proc/none",
    )
    assert work.code == 0 and "Vega works on" in work.out


async def test_file_that_others_may_read_is_refused(made: Crew, bare: Terminal) -> None:
    await bare.run("sign-in", "--with-token", typed=made.vega.token)
    (bare.config / "connect.env").chmod(0o640)
    printed = await bare.run("status")
    assert printed.code == 4 and f"chmod 600 '{bare.config / 'connect.env'}'" in printed.err


async def test_connections_have_names(made: Crew, bare: Terminal) -> None:
    config = bare.folder / "xdg"
    await bare.run("sign-in", "--with-token", typed=made.vega.token, XDG_CONFIG_HOME=str(config))
    await bare.run(
        "sign-in", "--with-token", "--connection", "lead", typed=made.atlas.token, XDG_CONFIG_HOME=str(config)
    )
    assert (config / "mission-control" / "connections" / "lead.env").exists()
    assert "Vega works on" in await bare.done("status", XDG_CONFIG_HOME=str(config))
    assert "Atlas leads" in await bare.done("status", "--connection", "lead", XDG_CONFIG_HOME=str(config))
    missing = await bare.run("status", "--connection", "third", XDG_CONFIG_HOME=str(config))
    assert missing.code == 4 and "There is no connection third." in missing.err
    assert (await bare.run("status", "--connection", "../x")).code == 2
    over = await bare.run(
        "status", "--connection", "lead", XDG_CONFIG_HOME=str(config), MISSION_CONTROL_TOKEN=made.vega.token
    )
    assert "Vega works on" in over.out and "the connection lead is not used" in over.err


async def test_workspace_beside_the_program_comes_before_the_file(made: Crew, bare: Terminal) -> None:
    await bare.run("sign-in", "--with-token", typed=made.atlas.token)
    bare.program = bare.program.rename(bare.folder / "mc")
    (bare.folder / "AGENTS.md").write_text(
        f"# Vega\n```\nBASE_URL={made.server.url}\nAUTH_TOKEN={made.vega.token}\n```\n"
    )
    assert "Token from AGENTS.md" in await bare.done("status")
    (bare.folder / "TOOLS.md").write_text(
        f"- `export AUTH_TOKEN='{made.atlas.token}'`\n- BASE_URL: {made.server.url}\n"
    )
    assert "Atlas leads" in await bare.done("status")


@pytest.mark.parametrize(("url", "words"), [
    ("http://board.example.org", "is not encrypted"),
    ("board.example.org", "is no address of a server"),
    ("http://board.example.org@evil.example", "is no address of a server"),
    ("file:///etc/passwd", "is no address of a server"),
    ("https://board.example.org/\nX: y", "is no address of a server"),
])  # fmt: skip
async def test_addresses_that_are_refused(bare: Terminal, url: str, words: str) -> None:
    for printed in (
        await bare.run("status", MISSION_CONTROL_URL=url, MISSION_CONTROL_TOKEN="mca_x"),
        await bare.run("sign-in", url, "--with-token", typed="mca_x"),
    ):
        assert printed.code == 2 and words in printed.err, printed


async def test_unencrypted_address_needs_a_word(bare: Terminal) -> None:
    given = {"MISSION_CONTROL_URL": "http://nowhere.invalid", "MISSION_CONTROL_TOKEN": "mca_x"}
    printed = await bare.run("status", MISSION_CONTROL_ALLOW_HTTP="yes", **given)
    assert printed.code == 5 and "did not answer at http://nowhere.invalid" in printed.err


async def test_token_that_has_ended_says_what_to_do(made: Crew, bare: Terminal) -> None:
    printed = await bare.run("status", MISSION_CONTROL_URL=made.server.url, MISSION_CONTROL_TOKEN="mca_gone")
    assert printed.code == 4 and "The token is in the environment. Run" in printed.err
