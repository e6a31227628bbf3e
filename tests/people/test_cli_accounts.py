"""`mission-control user` and `token`, as somebody at a shell uses them."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.live.servers import Installation, installation

pytestmark = pytest.mark.database


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation whose database is ready."""
    async with installation(tmp_path) as made:
        yield made


async def test_people_are_added_listed_and_given_roles(home: Installation) -> None:
    made = await home.command("user", "create", "ada@example.org", "--name", "Ada", "--role", "owner")
    assert "Ada <ada@example.org> belongs to Personal as owner and can change all boards." in made
    assert re.search(r"open http://127\.0\.0\.1:\d+/reset/mcr_\S{48}\n", made)
    await home.command(
        "user", "create", "ben@example.org", "--name", "Ben", "--password-stdin", typed="long-enough-1\n"
    )
    listed = await home.command("user", "list")
    assert re.search(r"ada@example.org +Ada +owner +Personal +no\n", listed)
    assert re.search(r"ben@example.org +Ben +member +Personal +yes\n", listed)
    assert (
        await home.command("user", "set-role", "ben@example.org", "admin") == "ben@example.org is admin of Personal.\n"
    )
    assert re.search(r"Ben +admin", await home.command("user", "list"))


async def test_invalid_commands_report_one_sentence(home: Installation) -> None:
    await home.command("user", "create", "ada@example.org", "--name", "Ada", "--role", "owner")
    refused = [
        (("user", "create", "ADA@example.org", "--name", "Ada"), "exists already"),
        (("user", "reset-password", "nobody@example.org"), "Nobody has the address"),
        (("user", "set-role", "ada@example.org", "member", "--organization", "Elsewhere"), "Name one organization"),
        (("token", "revoke", "1"), "no valid token"),
    ]
    answers = await asyncio.gather(*(home.run(*arguments) for arguments, _ in refused))
    for (code, said), (_, sentence) in zip(answers, refused, strict=True):
        assert code == 1 and sentence in said and said.count("\n") == 1, said


async def test_only_owner_cannot_be_demoted(home: Installation) -> None:
    await home.command("user", "create", "ada@example.org", "--name", "Ada", "--role", "owner")
    await home.command("user", "set-role", "admin@home.local", "member")
    code, said = await home.run("user", "set-role", "ada@example.org", "member")
    assert code == 1 and "the only owner" in said


async def test_tokens_start_and_end_at_once_on_a_running_server(home: Installation) -> None:
    await home.command("user", "create", "ada@example.org", "--name", "Ada", "--role", "owner")
    async with home.served() as server, server.client() as client:
        said = await home.command("token", "create", "ada@example.org", "--name", "laptop", "--days", "2")
        secret = said.splitlines()[0]
        headers = {"Authorization": f"Bearer {secret}"}
        assert (await client.get("/api/v1/users/me", headers=headers)).json()["email"] == "ada@example.org"
        listed = await home.command("token", "list", "ada@example.org")
        assert secret not in listed and "laptop" in listed
        await home.command("token", "revoke", listed.splitlines()[1].split()[0])
        assert (await client.get("/api/v1/users/me", headers=headers)).status_code == 401


async def test_member_gets_write_access(home: Installation) -> None:
    made = await home.command("user", "create", "ada@example.org", "--name", "Ada")
    assert "as member and can read all boards, but change none." in made
    assert "user set-access ada@example.org write" in made
    changed = await home.command("user", "set-access", "ada@example.org", "write")
    assert changed == "ada@example.org belongs to Personal as member and can change all boards.\n"
    made = await home.command("user", "create", "ben@example.org", "--name", "Ben", "--all-boards", "write")
    assert "as member and can change all boards." in made and "set-access" not in made
    code, said = await home.run(
        "user", "create", "c@example.org", "--name", "C", "--role", "admin", "--all-boards", "read"
    )
    assert code == 2 and "--all-boards is for members" in said
