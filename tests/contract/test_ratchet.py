"""What of the program may only fall has not risen, and no way to raise it passes."""

import json
import subprocess
from pathlib import Path

import pytest

from tools import ratchet
from tools.counts import counts_of

ADDITION: dict[str, object] = {
    "issue": 45, "reason": "Clocks of tests.", "room": "tasks", "measure": "statements", "count": 2,
}  # fmt: skip
MODULE = """
from typing import Any


def moved(row: dict[str, Any]) -> int:
    return placed(row) + placed(row)


def placed(row: dict[str, Any]) -> int:
    first = row["first"]
    return first + 1
"""


class Clone:
    """A small repository whose branch `work` begins at `main`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("Makefile", "checks:\n\tpython -m tools.ratchet\n")
        self.write("tests/contract/test_ratchet.py", "ratchet.main([])\n")
        self.write("mission_control/tasks/moves.py", MODULE)
        self.write("mission_control/boards/columns.py", "WIDTH = 3\nHEIGHT = 4\n")
        self.add()
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()
        self.git("checkout", "--quiet", "-b", "work")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def add(self, *additions: dict[str, object], **keys: object) -> None:
        self.write(ratchet.FILE, json.dumps({"additions": additions, **keys}))

    def raise_statements(self) -> None:
        self.write("mission_control/tasks/moves.py", MODULE + "    print(row)\n" + "    print(row)\n")

    def git(self, *arguments: str) -> None:
        person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(self.root), *person, *arguments], check=True, capture_output=True)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=Work")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    monkeypatch.delenv("CI", raising=False)
    return Clone(tmp_path)


def refusal(clone: Clone, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert ratchet.main([*arguments], clone.root) != 0, capsys.readouterr().out
    return capsys.readouterr().out


def test_no_count_of_the_program_rose(capsys: pytest.CaptureFixture[str]) -> None:
    assert ratchet.main([]) == 0, capsys.readouterr().out


def test_files_of_tests_stand_under_tests_alone() -> None:
    names = ("test_*.py", "*_test.py")
    places = [ratchet.ROOT / top for top in ("mission_control", "tools", "bench")]
    assert [path for place in places for name in names for path in place.rglob(name)] == []


def test_work_that_raises_nothing_passes(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    clone.write("mission_control/boards/columns.py", "WIDTH = 3\n\n")
    assert ratchet.main([], clone.root) == 0
    assert "statements (-1)" in capsys.readouterr().out


def test_a_rise_is_refused_with_where_and_how_much(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    clone.raise_statements()
    assert "statements rose by 2 to 10 (tasks +2)" in refusal(clone, capsys)
    clone.commit()
    printed = refusal(clone, capsys)
    assert "statements rose by 2 to 10 (tasks +2)" in printed
    assert ratchet.MEND in printed


def test_deleting_the_file_raises_nothing(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    clone.raise_statements()
    (clone.root / ratchet.FILE).unlink()
    clone.commit()
    assert "tools/ratchet.json is gone: restore it." in refusal(clone, capsys)
    clone.add()
    assert "statements rose by 2" in refusal(clone, capsys)


@pytest.mark.parametrize("stored", [{"statements": {"tasks": 900}}, {"twins": {"tasks": 0}}])
def test_a_number_or_a_measure_in_the_file_is_refused(
    stored: dict[str, object], clone: Clone, capsys: pytest.CaptureFixture[str]
) -> None:
    clone.raise_statements()
    clone.add(**stored)
    clone.commit()
    assert "has other keys than `additions`" in refusal(clone, capsys)


@pytest.mark.parametrize("option", ["--moved", "--write"])
def test_there_is_no_option_that_raises(option: str, clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    clone.raise_statements()
    assert f"There is no {option}" in refusal(clone, capsys, option)
    assert "statements rose by 2" in refusal(clone, capsys)


@pytest.mark.parametrize(
    "alias",
    [
        "type Loose = Any\n",
        "Loose = Any\n",
        "from typing import TypeAlias\nLoose: TypeAlias = 'dict[str, Any]'\n",
        "type Rows = list[dict[str, object]]\ntype Loose = Rows\n",
        "from typing import NewType\nLoose = NewType('Loose', dict[str, Any])\n",
        "class Loose(dict[str, Any]): ...\n",
        "from typing import Any as Loose\n",
    ],
)
def test_each_use_of_an_alias_of_loose_types_counts(
    alias: str, clone: Clone, capsys: pytest.CaptureFixture[str]
) -> None:
    clone.write("mission_control/core/values.py", f"from typing import Any\n{alias}")
    imported = "from mission_control.core.values import Loose\n"
    used = "def shown(row: Loose, former: Loose) -> Loose:\n    return row or former\n"
    clone.write("mission_control/tasks/rows.py", imported + used)
    assert "rose by" in next(line for line in refusal(clone, capsys).split("\n") if "tasks +3" in line)


def test_a_twin_room_is_refused(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    clone.write("mission_control/twins/moves.py", MODULE)
    printed = refusal(clone, capsys)
    assert "statements rose by 6 to 14 (twins +6)" in printed
    assert "names rose by 2" in printed


def test_a_function_that_is_split_is_refused(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    split = MODULE.replace(
        "return first + 1", "return _next(first)\n\n\ndef _next(first: int) -> int:\n    return first + 1"
    )
    clone.write("mission_control/tasks/moves.py", split)
    assert "functions with one caller rose by 1 to 1 (tasks +1)" in refusal(clone, capsys)


def test_a_call_in_a_template_is_a_caller() -> None:
    source = {"mission_control/tasks/words.py": "def words(): ...\n", "templates/a.html": "{{ words(1) }} words(2)"}
    assert counts_of(source)["functions with one caller"] == {"tasks": 1}


def test_a_shape_in_more_than_eight_places_counts() -> None:
    lines = "".join(f"N{number} = {number}\n" for number in range(6))
    eight, nine = ({f"mission_control/tasks/m{number}.py": lines for number in range(count)} for count in (8, 9))
    assert counts_of(eight)["common shapes"] == {}
    assert counts_of(nine)["common shapes"] == {"tasks": 9}


def test_a_move_between_rooms_passes(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    clone.write("mission_control/boards/moves.py", MODULE)
    (clone.root / "mission_control/tasks/moves.py").unlink()
    clone.commit()
    assert ratchet.main([], clone.root) == 0, capsys.readouterr().out


def test_leaving_out_what_runs_the_ratchet_is_refused(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    (clone.root / "tests/contract/test_ratchet.py").unlink()
    assert "tests/contract/test_ratchet.py does not run the ratchet: restore it." in refusal(clone, capsys)
    clone.write("tests/contract/test_ratchet.py", "ratchet.main([])\n")
    clone.write("Makefile", "checks:\n")
    assert "Makefile does not run the ratchet: restore it." in refusal(clone, capsys)


def test_an_addition_allows_what_it_says_in_its_room_and_is_shown(
    clone: Clone, capsys: pytest.CaptureFixture[str]
) -> None:
    clone.raise_statements()
    clone.add(ADDITION | {"count": 1})
    assert "statements rose by 2 to 10, 1 of it an addition" in refusal(clone, capsys)
    clone.add(ADDITION | {"room": "boards"})
    assert "statements rose by 2 to 10 (tasks +2)" in refusal(clone, capsys)
    clone.add(ADDITION)
    assert ratchet.main([], clone.root) == 0
    printed = capsys.readouterr().out
    assert "Added by issue 45: 2 statements in tasks: Clocks of tests." in printed
    assert "Additions since the beginning: 2 statements" in printed


def test_an_addition_at_the_base_is_spent_and_stays(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    clone.add(ADDITION)
    clone.commit()
    clone.git("branch", "--force", "main")
    clone.raise_statements()
    assert "statements rose by 2 to 10 (tasks +2)" in refusal(clone, capsys)
    clone.add(ADDITION | {"reason": "Said anew."})
    assert "statements rose by 2 to 10 (tasks +2)" in refusal(clone, capsys)
    clone.add()
    assert "an addition of issue 45 (statements, tasks) is gone" in refusal(clone, capsys)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"reason": " "}, "An addition of issue 45 has no reason."),
        ({"count": 0}, "raises nothing that is counted"),
        ({"count": True}, "has other fields than issue, reason, room, measure, count"),
        ({"measure": "beauty"}, "raises nothing that is counted: beauty."),
        ({"moved": 1}, "has other fields than issue, reason, room, measure, count"),
    ],
)
def test_an_addition_without_a_reason_or_a_measure_is_refused(
    change: dict[str, object], words: str, clone: Clone, capsys: pytest.CaptureFixture[str]
) -> None:
    clone.add(ADDITION | change)
    assert words in refusal(clone, capsys)


def test_work_on_main_is_compared_with_the_commit_before(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    clone.git("checkout", "--quiet", "main")
    clone.raise_statements()
    assert "statements rose by 2" in refusal(clone, capsys)
    clone.commit()
    assert "statements rose by 2" in refusal(clone, capsys)
    clone.git("clone", "--quiet", str(clone.root), str(clone.root / "fresh"))
    assert ratchet.main([], clone.root / "fresh") == 1


def test_without_history_nothing_is_compared_and_a_shallow_clone_fails_in_ci(
    clone: Clone, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.git("checkout", "--quiet", "main")
    assert ratchet.main([], clone.root) == 0
    assert "Counts are not compared: this is the first commit." in capsys.readouterr().out
    clone.raise_statements()
    clone.commit()
    clone.git("clone", "--quiet", "--depth=1", f"file://{clone.root}", str(clone.root / "shallow"))
    assert ratchet.main([], clone.root / "shallow") == 0
    assert "this clone is shallow: run `git fetch --unshallow`" in capsys.readouterr().out
    monkeypatch.setenv("CI", "1")
    assert ratchet.main([], clone.root / "shallow") == 1
    (clone.root / ".git").rename(clone.root / "git")
    assert ratchet.main([], clone.root) == 0
    assert "Counts are not compared: this is no clone." in capsys.readouterr().out
