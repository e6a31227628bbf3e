"""The lock files are checked against pyproject.toml without an index."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from tools import lock

type Fault = Callable[[str, str], list[str]]

PROJECT = """
[project]
dependencies = ["quart>=0.20", {more}]
[project.optional-dependencies]
dev = []
[dependency-groups]
build = []
"""
LOCK = "quart==0.21.0 \\\n    --hash=sha256:00\n    # via mission-control-boards (pyproject.toml)\n"


@pytest.fixture
def faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fault:
    """What is said of a lock when pyproject.toml asks for something more."""
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    tmp_path.joinpath("requirements").mkdir()

    def said(more: str, locked: str = "") -> list[str]:
        tmp_path.joinpath("pyproject.toml").write_text(PROJECT.format(more=more))
        tmp_path.joinpath(lock.RUN).write_text(LOCK + locked)
        return list(lock.faults(lock.RUN))

    return said


def test_satisfied_lock_is_current(faults: Fault) -> None:
    assert faults("", "") == []


def test_new_requirement_makes_the_lock_stale(faults: Fault) -> None:
    assert faults('"nowhere-published>=1"', "") == ["nowhere-published>=1 is missing"]


def test_raised_bound_makes_the_lock_stale(faults: Fault) -> None:
    assert faults('"quart>=0.22"', "") == ["quart>=0.22 is wanted, 0.21.0 is locked"]


def test_removed_requirement_makes_the_lock_stale(faults: Fault) -> None:
    removed = "left_behind==1.0 \\\n    # via\n    #   other\n    #   mission-control-boards (pyproject.toml)\n"
    assert faults("", removed) == ["left-behind is no longer in pyproject.toml"]


def test_unlocked_extra_makes_the_lock_stale(faults: Fault) -> None:
    httpx = f"httpx=={version('httpx')}\n"
    without = faults('"httpx"', httpx)
    assert [one for one in faults('"httpx[http2]"', httpx) if one not in without] == ["h2<5,>=3 is missing"]


def test_requirements_of_other_platforms_are_ignored(faults: Fault) -> None:
    assert faults("\"nowhere-published; sys_platform == 'plan9'\"", "") == []
