"""The plain line that an activity gets, and which errors are the same."""

from typing import Any

import pytest

from mission_control.runs.sessions.titles import failure_of, is_of_same_call, is_same, one_line, title_of


@pytest.mark.parametrize(("kind", "state", "detail", "title"), [
    ("TOOL_CALL_START", None, {"tool": "Bash", "command": "make test"}, "Running make test"),
    ("TOOL_CALL_END", "ok", {"tool": "Bash", "command": "make test", "seconds": 180}, "Ran make test, 3 min"),
    ("TOOL_CALL_END", "failed", {"tool": "exec", "cmd": "ls", "duration_ms": 1400}, "Ran ls, failed, 1 s"),
    ("TOOL_CALL_END", "ok", {"tool": "Read", "file_path": "a/b.py", "seconds": 0.2}, "Read a/b.py"),
    ("TOOL_CALL_START", None, {"tool_name": "mcp__board__ask"}, "Calling mcp__board__ask"),
    ("TOOL_CALL_END", "refused", {"tool": "deploy", "path": "prod"}, "Called deploy: prod, refused"),
    ("TOOL_CALL_END", "ok", {}, "Called a tool"),
    (
        "TEXT_MESSAGE_END",
        None,
        {"text": "The price version\nis the only key."},
        "The price version is the only key.",
    ),
    ("RUN_ERROR", "failed", {"error": "No credit"}, "Stopped with an error"),
    ("COMPACTED", None, {}, "Compacted"),
    ("ACTIVITY", None, {"text": "Waits for the build"}, "Waits for the build"),
    ("TOOL_CALL_START", None, {"tool": 3, "command": [1]}, "Calling a tool"),
])  # fmt: skip
def test_title_is_made_of_kind_and_detail(kind: str, state: str | None, detail: dict[str, Any], title: str) -> None:
    assert title_of(kind, None, state, detail) == title


def test_given_title_is_kept_as_one_line() -> None:
    assert title_of("ACTIVITY", "  Ran\n make\ttest\u200b ", "ok", {}) == "Ran make test"
    assert title_of("RUN_STARTED", " \n ", None, {}) == "Began a turn"


def test_long_line_is_cut_and_says_so() -> None:
    assert one_line("x" * 5_000) == "x" * 199 + "…"
    assert len(one_line("y" * 10**6, 500)) == 500


@pytest.mark.parametrize(("one", "other", "same"), [
    ("Ran make test: 2 failed in 3.4 s", "Ran make test: 3 failed in 11 s", True),
    ("Ran make test: no such file", "Ran make test: permission denied", False),
    ("Ran make test: x", "Ran make lint: x", False),
])  # fmt: skip
def test_errors_are_the_same_whatever_their_numbers(one: str, other: str, same: bool) -> None:
    assert is_same(one, other) is same


def test_call_that_works_again_is_known() -> None:
    failure = failure_of("Ran make test, failed, 9 s", {"error": "\n2 failed\nmore"})
    assert failure == "Ran make test, failed, 9 s: 2 failed"
    assert is_of_same_call("Ran make test, 12 s", failure)
    assert not is_of_same_call("Ran git diff", failure)
