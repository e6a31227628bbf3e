"""What other users of the machine can read of an installation: nothing."""

from pathlib import Path

import pytest

from mission_control.core.private_files import make_private, too_open
from mission_control.core.settings import Settings
from tests.live.servers import Installation, installation


def settings_in(folder: Path, **more: str) -> Settings:
    return Settings.from_environment({"DATA_DIR": str(folder), **more})


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_readable_files_are_made_private(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    database = "mission-control.sqlite3"
    ours = (database, f"{database}-wal", f"{database}-shm", f"{database}.before-5_x", f"{database}.replaced-1")
    for name in (*ours, f"{database}.server.lock", "secret_key", "notes.txt"):
        (folder / name).touch()
        (folder / name).chmod(0o644)
    settings = settings_in(folder)
    assert len(too_open(settings)) == 8
    make_private(settings)
    assert mode(folder) == 0o700 and {mode(folder / name) for name in (*ours, "secret_key")} == {0o600}
    assert mode(folder / "notes.txt") == 0o644  # not ours
    assert too_open(settings) == []


def test_new_database_is_private_from_the_start(tmp_path: Path) -> None:
    make_private(settings_in(tmp_path))
    assert mode(tmp_path / "mission-control.sqlite3") == 0o600


def test_shared_folder_is_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    settings = settings_in(tmp_path)
    make_private(settings)
    assert mode(tmp_path) == 0o755 and too_open(settings) == [tmp_path]
    monkeypatch.chdir("/")
    tmp_path.chmod(0o1777)
    make_private(settings)
    assert mode(tmp_path) == 0o777


@pytest.mark.database
async def test_server_makes_files_private_and_doctor_lists_open_ones(tmp_path: Path) -> None:
    async with installation(tmp_path) as home:
        data = tmp_path / "data"
        data.mkdir()
        data.chmod(0o755)
        code, said = await home.run("doctor")
        assert code == 1 and f"PROBLEM  Other users: can reach {data} (755)" in said
        async with home.served():
            kept = [data, *data.iterdir(), *_database_files(home)]
            assert {mode(path) for path in kept if path.is_dir()} == {0o700}
            assert {mode(path) for path in kept if not path.is_dir() and path.suffix != ".lock"} == {0o600}
        assert "ok       Other users: cannot read" in (await home.run("doctor"))[1]


def _database_files(home: Installation) -> list[Path]:
    if home.sqlite_file is None:
        return []
    return list(home.sqlite_file.parent.glob(f"{home.sqlite_file.name}*"))
