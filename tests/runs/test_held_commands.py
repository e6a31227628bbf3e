"""What rules for calls hold, by the word of a real shell: a command that runs a program never passes its rule."""

import contextlib
import os
import shlex
import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mission_control.client.shell.patterns import concerning
from tests.commands import ATTEMPTS, CARRIERS, LISTS, ORDINARY, QUOTERS, spellings

EXAMPLES = int(os.environ.get("COMMANDS", "150"))
LEAST_RUN = 0.9  # of the attempts: some need a program that is not everywhere
MOST_HELD = 0.05  # of the commands of ordinary sessions
STUBS = {
    "rm": 'for one; do printf "%s " "$one"; done >> @/said; echo " rm" >> @/said',
    "git": """force= sub= alias=
while :; do case "$1" in
-c) case "$2" in alias.p=*) alias=${2#alias.p=};; esac; shift 2;;
-C|--git-dir) shift 2;; -*) shift;; *) break;; esac; done
sub=$1; shift; [ "$sub" != p ] || sub=$alias
for one; do case "$one" in -*f*|+*) force=" force";; esac; done
echo "$sub$force git" >> @/said""",
    "sudo": 'while :; do case "$1" in -u) shift 2;; -*) shift;; *) break;; esac; done; exec "$@"',
    "editing": 'sh -c "$GIT_EDITOR"',
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("programs")
    for name, text in STUBS.items():
        (made / name).write_text(f"#!/bin/sh\n{text}\n".replace("@", str(made)))
        (made / name).chmod(0o700)
    (made / "here").mkdir()
    return made


def broken_rules(folder: Path, command: str) -> list[str]:
    """The rules that a command concerns by what a shell runs of it."""
    said, here = folder / "said", folder / "here"
    said.unlink(missing_ok=True)
    for one in here.iterdir():
        one.unlink()
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(here)}
    with subprocess.Popen(
        ["bash", "-c", command.replace("@", str(folder))], cwd=here, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    ) as running:  # fmt: skip
        try:
            running.wait(60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
    found = set()
    for line in said.read_text().splitlines() if said.exists() else ():
        options = "".join(one for one in line.split() if one.startswith("-"))
        if line.endswith(" rm"):
            found |= {"Bash(rm *)"} | ({"Bash(rm -rf *)"} if {"r", "f"} <= set(options.lower()) else set())
        if line.startswith("push"):
            found |= {"Bash(git push *)"} | ({"Bash(git push --force *)"} if " force" in line else set())
    return sorted(found)


def passed(folder: Path, command: str) -> list[str]:
    rules = broken_rules(folder, command)
    concerned, _ = concerning(rules, "Bash", {"command": command.replace("@", str(folder))})
    return [one for one in rules if one not in concerned]


def test_no_attempt_to_hide_a_command_passes(folder: Path) -> None:
    ran = [one for one in ATTEMPTS if broken_rules(folder, one)]
    assert len(ran) >= LEAST_RUN * len(ATTEMPTS), sorted(set(ATTEMPTS) - set(ran))
    assert {one: rules for one in ran if (rules := passed(folder, one))} == {}


def spelled(word: str) -> st.SearchStrategy[str]:
    return st.sampled_from(spellings(word))


OPTIONS = st.sampled_from(
    [
        ("-rf", "x"), ("-fr", "x"), ("-r", "-f", "x"), ("x", "-rf"), ("-f", "x", "-R"), ("--recursive", "--force", "x"),
        ("x",),
    ]
)  # fmt: skip
GLOBALS = st.sampled_from(["", "-C .", "-c a=b", "--no-pager", "-C . -c a=b", "--git-dir=."])
PUSHES = st.sampled_from([(), ("origin",), ("-f",), ("origin", "+main"), ("origin", "main", "--force")])
REMOVALS = st.builds(
    lambda name, words: " ".join([name, *words]),
    st.one_of(spelled("rm"), st.sampled_from(["@/rm", "@/r?", "@/[r]m"])),
    OPTIONS.flatmap(lambda words: st.tuples(*map(spelled, words))),
)
PUSHING = st.builds(
    lambda name, options, sub, words: " ".join([name, options, sub, *words]),
    spelled("git"), GLOBALS, spelled("push"), PUSHES.flatmap(lambda words: st.tuples(*map(spelled, words))),
)  # fmt: skip
BEHIND = st.lists(st.sampled_from(CARRIERS), max_size=2)
AROUND = st.lists(st.sampled_from([*LISTS, *QUOTERS]), max_size=2)


@st.composite
def commands(draw: st.DrawFn) -> str:
    """Commands that run a program, spelled in any way, behind others and among others."""
    text = draw(st.one_of(REMOVALS, PUSHING))
    for carrier in draw(BEHIND):
        text = carrier.format(text)
    for around in draw(AROUND):
        text = around.format(shlex.quote(text) if around in QUOTERS else text)
    return text


@settings(max_examples=EXAMPLES, deadline=None)
@given(command=commands())
def test_no_command_that_a_shell_runs_passes_its_rule(folder: Path, command: str) -> None:
    assert passed(folder, command) == []


def test_ordinary_commands_are_not_held() -> None:
    rules = ["Bash(rm -rf *)", "Bash(git push *)", "Bash(terraform apply *)", "Bash(npm publish *)"]
    held = [one for one in ORDINARY if concerning(rules, "Bash", {"command": one})[0]]
    assert len(held) <= MOST_HELD * len(ORDINARY), held


@pytest.mark.parametrize(("tool", "given"), [
    ("exec_command", {"cmd": "cd shop && git push"}),
    ("mcp__shell__run", {"text": "git push"}),
    ("mcp__shell__run", {"argv": ["bash", "-lc", "git push"]}),
    ("mcp__shell__run", {"what": {"program": ["git", "push"], "line": "git push"}}),
    ("write_stdin", {"session_id": 1, "chars": "x"}),
    ("Bash", {"cmd": "git push"}),
    ("Bash", {"command": ["git", "push"]}),
])  # fmt: skip
def test_a_command_is_found_whatever_its_field_is_called(tool: str, given: dict[str, object]) -> None:
    assert concerning(["Bash(git push *)"], tool, given)[0]
    assert not concerning(["Bash(git push *)"], "Write", {"content": "git push"})[0]
