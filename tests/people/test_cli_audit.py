"""`mission-control audit`, used at a shell, while others change the database."""

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import asyncpg
import orjson
import pytest

from tests.live.servers import Installation, installation

pytestmark = [pytest.mark.dialect, pytest.mark.database]

EVERY_LINE_FINE = r"(.+: \d+ (event|events|entry|entries), all as written\.\n)+"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Installation]:
    async with installation(tmp_path) as made:
        await made.command("user", "create", "ada@example.org", "--name", "Ada", "--role", "owner")
        await made.command("user", "set-role", "ada@example.org", "admin")
        yield made


async def write(home: Installation, *statements: str) -> None:
    """Change the database without the program."""
    if home.sqlite_file is not None:
        with closing(sqlite3.connect(home.sqlite_file)) as opened, opened:
            for statement in statements:
                opened.execute(statement)
        return
    connection = await asyncpg.connect(home.database_url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def kept(home: Installation) -> Path:
    file = home.folder / "heads.jsonl"
    file.write_text(await home.command("audit", "head"), encoding="utf-8")
    return file


async def test_heads_are_printed_and_checked_against(home: Installation) -> None:
    file = await kept(home)
    lines = [orjson.loads(line) for line in file.read_text().splitlines()]
    assert [set(line) for line in lines] == [{"log", "name", "seq", "hash", "signature"}] * 2
    assert [line["name"] for line in lines] == ["Personal", "Accounts"]
    said = await home.command("audit", "verify", "--against", str(file))
    assert re.fullmatch(rf"{EVERY_LINE_FINE}2 heads kept elsewhere, all still in the logs\.\n", said)


async def test_changed_actor_name_is_detected(home: Installation) -> None:
    await write(home, "UPDATE events SET actor_name = 'Somebody else'")
    code, said = await home.run("audit", "verify")
    assert code == 1 and "Event 1 was changed after it was written.\n" in said and "Accounts: " in said


async def test_truncated_account_log_is_detected(home: Installation) -> None:
    file = await kept(home)
    await write(home, "DELETE FROM account_events", "DELETE FROM instance_settings WHERE name = 'account_log'")
    code, said = await home.run("audit", "verify", "--against", str(file))
    assert code == 1
    assert "Accounts: The account log has no head: it was removed.\n" in said
    assert re.search(r"heads.jsonl, line 2, Accounts: Number \d+ was written and is gone\.\n", said)


async def test_different_secret_key_is_reported_and_not_as_tampering(home: Installation) -> None:
    other = "another-secret-key-that-is-long-enough-for-the-rule"
    code, said = await home.run("audit", "verify", SECRET_KEY=other)
    assert code == 2
    assert "is not the one this database was made with" in said and "Signatures were not checked." in said
    assert said.count("all as written.") == 2
    await write(home, "DELETE FROM instance_settings WHERE name = 'secret_key_check'")  # on purpose
    code, said = await home.run("audit", "verify", SECRET_KEY=other)
    assert code == 2 and "was signed with another SECRET_KEY than the present one" in said
    await home.command("audit", "sign", "--yes", SECRET_KEY=other)
    await home.command("audit", "verify", SECRET_KEY=other)


async def test_invalid_files_report_one_sentence(home: Installation) -> None:
    file = home.folder / "notes.txt"
    for text, sentence in (
        ("hello\n", "line 1 is not a head"),
        ("{}\n", "line 1 is not a head"),
        ("", "holds no heads"),
    ):
        file.write_text(text)
        code, said = await home.run("audit", "verify", "--against", str(file))
        assert code == 1 and sentence in said and said.count("\n") == 1
