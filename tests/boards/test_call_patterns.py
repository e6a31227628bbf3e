"""Patterns of calls: what is allowed is one plain command and nothing else, by the word of a real shell."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mission_control.client.shell.patterns import allows, concerning, trouble

PATTERN = "Bash(git *)"


def concerns(pattern: str, tool: str, given: dict[str, Any]) -> bool:
    return concerning([pattern], tool, given)[0] == [pattern]


def shell(command: str, **beside: Any) -> tuple[str, dict[str, Any]]:
    return "Bash", {"command": command, **beside}


WORDS = ["git", "status", "rm", "-rf", "x", "a b", "FOO=1", ".", "/tmp/x", "--", "é"]
MARKS = [*" ;&|$`'\"\\\n<>(){}[]*?!#~=,\t\r\0\u202e\u00a0", "&&", "||", "$(", "${IFS}", "<<", "2>", ">&", "$'"]
COMMANDS = st.lists(st.sampled_from(WORDS + MARKS), max_size=12).map("".join).map("git {}".format)
# Every command notes itself and does nothing; what is not known is noted too. Globs and redirections leave traces.
STUBS = (
    'git() { printf "git\\n" >&9; }; rm() { printf "other\\n" >&9; }; status() { rm; }; x() { rm; }; a() { rm; }\n'
    "command_not_found_handle() { rm; }\nPATH=/nonexistent; shopt -s failglob\n"
)


@settings(max_examples=400, deadline=None)
@given(command=COMMANDS)
def test_what_is_allowed_is_one_command_to_a_shell(tmp_path_factory: pytest.TempPathFactory, command: str) -> None:
    if not allows(PATTERN, *shell(command)):
        return
    assert run(tmp_path_factory.mktemp("shell"), command) == (["git"], [])


def run(folder: Path, command: str) -> tuple[list[str], list[str]]:
    said = folder / "said"
    here = folder / "here"
    here.mkdir()
    subprocess.run(["bash", "--norc", "-c", f'exec 9>"{said}"\n{STUBS}{command}\n'], cwd=here, timeout=60, check=False,
                   stdin=subprocess.DEVNULL, capture_output=True)  # fmt: skip
    return said.read_text().split(), [one.name for one in here.iterdir()]


@pytest.mark.parametrize(
    "more", ["; rm x", "&& rm", "| rm", "$(rm)", "`rm`", "\nrm", "> x", "& rm", '"$(rm)"', "<(rm)"]
)
def test_a_shell_notices_what_is_chained(tmp_path: Path, more: str) -> None:
    """The judge of the test above works: each of these runs or makes something, and none is allowed."""
    assert run(tmp_path, f"git status {more}") != (["git"], [])
    assert not allows(PATTERN, *shell(f"git status {more}"))
    assert concerns("Bash(git status *)", *shell(f"rm a; git status {more}"))


@pytest.mark.parametrize(("pattern", "command", "is_allowed"), [
    ("Bash(git status *)", "git status", True),
    ("Bash(git status *)", "git status --short", True),
    ("Bash(git status *)", "git statusx", False),
    ("Bash(git status:*)", "git status --short", True),
    ("Bash(git log * main)", "git log --oneline main", True),
    ("Bash(git log * main)", "git log main", False),
    ("Bash(npm run test*)", "npm run test:unit", True),
    ("Bash(git *)", "git commit -m 'one; two'", True),
    ("Bash(git *)", 'git commit -m "one & two"', True),
    ("Bash(git *)", 'git commit -m "one" "two', False),
    ("Bash(git *)", "FOO=1 git status", False),
    ("Bash(git *)", " git status", False),
    ("Bash(make lint && make test)", "make lint && make test", True),
    ("Bash(make lint && make test)", "make lint && make test; rm x", False),
    ("Bash(make)", "make deploy", False),
])  # fmt: skip
def test_a_pattern_allows_the_whole_command(pattern: str, command: str, *, is_allowed: bool) -> None:
    assert trouble(pattern, allows=True) == ""
    assert allows(pattern, *shell(command)) is is_allowed


def test_a_command_is_not_allowed_with_what_changes_how_it_runs() -> None:
    assert allows(PATTERN, *shell("git status", description="Look", timeout=5))
    assert not allows(PATTERN, *shell("git status", dangerouslyDisableSandbox=True))


def test_tools_are_named_whole() -> None:
    assert allows("WebFetch", "WebFetch", {"url": "https://example.org"}) and not allows("Web", "WebFetch", {})
    assert allows("mcp__shop__*", "mcp__shop__order", {}) and not allows("mcp__shop__*", "mcp__shopping__order", {})
    assert not allows("Bash", *shell("git status"))
    assert concerns("Bash", *shell("ls")) and concerns("Bash", "Monitor", {"command": "ls"})
    assert not concerns("Bash(git push *)", "apply_patch", {"command": "+git push origin"})
    assert not concerns("Bash(git push *)", *shell("git pushd; mygit push"))
    assert concerns("Bash(git * push *)", *shell("git -C shop push")) and concerns("Bash(rm *)", *shell("/bin/RM x"))


@pytest.mark.parametrize("pattern", [
    *("", "*", "Bash()", "Bash( ls)", "Bash(ls", "Bash(a\\b)", "Bash(a\nb)", "Edit(src/**)", "mcp__*", "Web Fetch"),
    *(
        "Bash", "Bash(*)", "Bash(:*)", "Bash(* x)", "Bash(g* x)", "Bash(sh *)", "Bash(/usr/bin/env *)",
        "Bash(A=1 *)",
    ),
    *("Bash(git log | head *)", "Bash(sudo:*)", "Bash(git $X *)", f"Bash({'x' * 300})"),
])  # fmt: skip
def test_what_would_allow_too_much_is_refused(pattern: str) -> None:
    assert trouble(pattern, allows=True)


def test_a_long_command_is_read_once() -> None:
    command = "git " + "a" * 200_000
    for pattern in ("Bash(git *a*a*a*a*b)", "Bash(git * a * a * b *)"):
        assert not allows(pattern, *shell(command)) and concerns(pattern, *shell(command))  # no shell takes so much


@settings(max_examples=300, deadline=None)
@given(text=st.lists(st.sampled_from([*WORDS, *MARKS, "case", "esac", "in", "[[", "]]", "for", "do", "env", "sed"])))
def test_any_text_is_read_to_its_end(text: list[str]) -> None:
    concerns("Bash(git push *)", *shell("".join(text)))
    concerns("Bash(git push *)", *shell(" ".join(text)))
