"""`mission-control backup` and `restore`."""

from pathlib import Path

import pytest

from tests.live.servers import Installation, installation
from tests.own_database import empty_database

pytestmark = [pytest.mark.dialect, pytest.mark.database]


async def test_backup_of_a_running_server_restores_everything(tmp_path: Path) -> None:
    async with installation(tmp_path) as home:
        if home.sqlite_file is None:
            code, said = await home.run("backup", "copy.sqlite3")
            assert code == 1 and "pg_dump" in said and said.count("\n") == 1
            return
        copy = tmp_path / "copy.sqlite3"
        async with home.served() as server, server.client() as client:
            await client.post("/api/v1/boards", json={"name": "Kept", "slug": "kept", "description": "x"})
            assert "checked" in await home.command("backup", str(copy))
            await client.post("/api/v1/boards", json={"name": "Later", "slug": "later", "description": "x"})
            assert copy.stat().st_mode & 0o777 == 0o600
            for arguments, sentence in (
                (("backup", str(copy)), "exists already"),
                (("restore", str(copy)), "With --replace"),
                (("restore", str(copy), "--replace"), "stop the server first"),
            ):
                code, said = await home.run(*arguments)
                assert code == 1 and sentence in said, said
        assert "is restored" in await home.command("restore", str(copy), "--replace")
        async with home.served() as server, server.client() as client:
            names = [board["name"] for board in (await client.get("/api/v1/boards")).json()["items"]]
        assert names == ["Kept"]
        assert len(list(home.sqlite_file.parent.glob("*.replaced-*"))) == 1


async def test_invalid_backup_is_not_restored(tmp_path: Path) -> None:
    async with empty_database(tmp_path) as url:
        home = Installation(tmp_path, url)
        if home.sqlite_file is None:
            return
        rubbish = tmp_path / "rubbish"
        rubbish.write_text("this is no database")
        code, said = await home.run("restore", str(rubbish))
        assert code == 1 and "is no backup" in said
        assert not home.sqlite_file.exists()
