"""A server whose disk is full, and one whose file is damaged."""

import sqlite3
from contextlib import closing
from pathlib import Path

from mission_control.database.outages import DAMAGED, UNWRITABLE
from tests.live.servers import COMMAND, Installation, Server

# Not even the index that processes share of a SQLite log, 32 KiB, has room then.
NO_ROOM = ("/bin/sh", "-c", 'ulimit -f 32; exec "$@"', "sh", *COMMAND)
BOARD = {"name": "A board", "slug": "a-board", "description": "One"}


async def readiness(server: Server) -> tuple[int, str]:
    async with server.client() as somebody:
        answer = await somebody.get("/readyz")
    return answer.status_code, answer.json().get("checks", {}).get("database", "ok")


async def test_server_on_a_full_disk_allows_reads(tmp_path: Path) -> None:
    home = Installation(tmp_path, f"sqlite:///{tmp_path / 'full.sqlite3'}")
    async with home.served() as server, server.client() as owner:
        (await owner.post("/api/v1/boards", json=BOARD)).raise_for_status()
    async with home.served(program=NO_ROOM, waits_for="/healthz") as server, server.client() as owner:
        assert [one["name"] for one in (await owner.get("/api/v1/boards")).json()["items"]] == ["A board"]
        refused = await owner.post("/api/v1/boards", json=BOARD | {"slug": "b", "description": "x" * 60_000})
        assert (refused.status_code, refused.json()["detail"]) == (503, UNWRITABLE)
        assert await readiness(server) == (503, "The database cannot be written.")
    async with home.served() as server, server.client() as owner:
        (await owner.post("/api/v1/boards", json=BOARD | {"slug": "c"})).raise_for_status()


async def test_damaged_file_is_detected_and_named(tmp_path: Path) -> None:
    file = tmp_path / "damaged.sqlite3"
    home = Installation(tmp_path, f"sqlite:///{file}")
    async with home.served() as server, server.client() as owner:
        (await owner.post("/api/v1/boards", json=BOARD)).raise_for_status()
    assert "were read and are well-formed" in (await home.run("doctor"))[1]
    damage(file, "boards")
    code, told = await home.run("doctor")
    assert code == 1 and f"{file} is damaged" in told
    async with home.served() as server, server.client() as owner:
        refused = await owner.get("/api/v1/boards")
        assert (refused.status_code, refused.json()["detail"]) == (503, DAMAGED)
        assert await readiness(server) == (503, "The database file is damaged.")


def damage(file: Path, table: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [page] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        [size] = connection.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(b"\xde\xad" * (size // 2))
