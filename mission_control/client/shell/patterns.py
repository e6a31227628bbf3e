"""Patterns of calls, as Claude Code writes its permission rules: `Bash(git status *)`, `WebFetch`, `mcp__shop__*`.

The server and this program read them alike, and each way to its safe side. What may run without asking is the whole of
one plain command. What needs a yes is any command that runs a pattern's program with the pattern's words, or of which
one cannot say for certain what it runs.
"""

from __future__ import annotations

import re
import shlex

from mission_control.client.shell.invocations import Invocations, after_globals, name_of, names
from mission_control.client.shell.reading import UNKNOWN, Reader, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mission_control.client.shell.invocations import Invocation

LONGEST = 300
SHELL = "Bash"
FORM = re.compile(r"(\w[\w-]*|mcp__[\w-]+__[\w-]*\*)(?:\((.*)\))?", re.ASCII)
# Programs that run what they are given: a pattern for one of them would allow every command.
RUNNERS = (
    *("bash", "builtin", "busybox", "command", "dash", "doas", "env", "eval", "exec", "fish", "ksh", "nice", "nohup"),
    *("script", "setsid", "sh", "ssh", "stdbuf", "su", "sudo", "time", "timeout", "watch", "xargs", "zsh"),
)
# What else may be given with a command that is allowed: nothing that changes what runs.
HARMLESS = frozenset(("command", "description", "timeout", "run_in_background"))
# Tools that run nothing of what they are given, and the board's own.
RUNS_NOTHING = names(
    "Agent AskUserQuestion Edit EnterPlanMode ExitPlanMode Glob Grep LS ListMcpResourcesTool MultiEdit NotebookEdit "
    "NotebookRead Read ReadMcpResourceTool SendMessage Skill Task TaskCreate TaskGet TaskList TaskOutput TaskStop "
    "TaskUpdate TodoRead TodoWrite ToolSearch WebFetch WebSearch Write apply_patch update_plan view_image"
)
OWN_TOOLS = "mcp__mission-control__"
# Fields that hold a command, what something else reads, and neither.
COMMANDS = names("args argv cmd command command_line commands script shell")
CODE = names("chars code stdin")
NO_CODE = names("description timeout run_in_background cwd workdir")
# Long options whose short form begins with another letter, and those that have none.
SHORT = {"assume-yes": "y", "dry-run": "n", "method": "X", "request": "X", "set-upstream": "u", "amend": "", "hard": ""}
MEANT = {"force": "+", "f": "+", "delete": ":", "d": ":"}  # how a refspec says it to git push
QUOTED = re.compile(r"'[^'\n]*'|\"[^\"$`\\!\n]*\"")
PLAIN = re.compile(r"[\w .,:=/@%+^-]*")  # a shell reads them as one command: it joins, expands and redirects nothing


def trouble(pattern: str, *, allows: bool) -> str:
    """Return why a pattern cannot be used, "" when it can."""
    found = FORM.fullmatch(pattern)
    if found is None or len(pattern) > LONGEST or not pattern.isprintable():
        return "Write a tool, or Bash with a command in parentheses: Bash(git status *)."
    tool, text = found[1], found[2]
    if text is not None and tool != SHELL:
        return "Only commands of Bash can stand in parentheses: Bash(git status *)."
    words = _text(text or "")
    if text is not None and (words != words.strip() or not words):
        return "Write a command in the parentheses: Bash(git status *)."
    if "\\" in words:
        return "A pattern has no backslash."
    if not allows or (tool != SHELL and text is None) or "*" not in (words or "*"):
        return ""
    first = words.split(" ")[0]
    if not first or "*" in first or "=" in first:
        return "This would let every command run. Begin with the command: Bash(git status *)."
    if not PLAIN.fullmatch(QUOTED.sub("_", words.replace("*", ""))):
        return "A pattern with * is of one command: nothing in it may join, expand or redirect."
    if first.rpartition("/")[2] in RUNNERS:
        return f"This would let every command run, because {first} runs others. Write the whole command, without *."
    return ""


def allows(pattern: str, tool: str, given: Mapping[str, object]) -> bool:
    """Return whether a call is one that a pattern allows.

    Without `*` it is exactly that command. With it, the command is one: nothing in it, outside of quotes, could begin
    another, expand or redirect.
    """
    name, text = _parts(pattern)
    if text is None:
        return _is_named(name, tool) and tool != SHELL
    command = given.get("command")
    if tool != SHELL or not isinstance(command, str) or not set(given) <= HARMLESS:
        return False
    if "*" not in text:
        return command == text
    is_one = command.isprintable() and PLAIN.fullmatch(QUOTED.sub("_", command)) is not None
    return is_one and (_is_whole(text, command) or (text.endswith(" *") and _is_whole(text[:-2], command)))


def concerning(patterns: Iterable[str], tool: str, given: Mapping[str, object]) -> tuple[list[str], bool]:
    is_shell = tool == SHELL or (tool not in RUNS_NOTHING and not COMMANDS.isdisjoint(given))
    calls = _invocations(tool, given)
    found = []
    for pattern in patterns:
        name, text = _parts(pattern)
        if text is None:
            concerns = _is_named(name, tool) or (name == SHELL and is_shell)
        else:
            concerns = not calls.is_certain or _is_in(text, calls.all)
        if concerns:
            found.append(pattern)
    return found, calls.is_certain


def is_exact(pattern: str) -> bool:
    return "(" in pattern and "*" not in pattern


def _parts(pattern: str) -> tuple[str, str | None]:
    name, bracket, text = pattern.partition("(")
    return name, _text(text[:-1]) if bracket else None


def _text(text: str) -> str:
    return f"{text[:-2]} *" if text.endswith(":*") else text


def _is_named(name: str, tool: str) -> bool:
    return tool.startswith(name[:-1]) if name.endswith("*") else tool == name


# What follows takes each part of a pattern at its first place: however long a command is, it is read once.


def _is_whole(text: str, command: str) -> bool:
    first, *others = text.split("*")
    if not others:
        return command == first
    if not command.startswith(first):
        return False
    at, end = len(first), len(command) - len(others[-1])
    for part in others[:-1]:
        if (at := command.find(part, at)) < 0:
            return False
        at += len(part)
    return at <= end and command.endswith(others[-1])


def _invocations(tool: str, given: Mapping[str, object]) -> Invocations:
    found = Invocations()
    if tool in RUNS_NOTHING or tool.startswith(OWN_TOOLS):
        return found
    if tool == SHELL and not isinstance(given.get("command"), (str, list)):
        found.is_certain = False
    for name, value in given.items():
        if name in CODE:
            found.is_certain = False
        elif name in COMMANDS:
            found.read(_line(value))
        elif name not in NO_CODE:
            for text in _texts(value):
                found.read(text, is_certain=False)
    return found


def _line(value: object) -> str:
    return value if isinstance(value, str) else list(_texts(value))[-1] if value else ""


def _texts(value: object) -> Iterator[str]:
    """Yield the texts of a value, then those of a list in one line."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        parts = [text for one in value for text in _texts(one)]
        yield from (*parts, shlex.join(parts))


def _is_in(text: str, calls: Sequence[Invocation]) -> bool:
    commands = [[*one.words, *one.targets] for one in Reader(text).read().commands]
    return all(any(_is_run(wanted, *call) for call in calls) for wanted in commands)


def _is_run(wanted: Sequence[Word], words: Sequence[Word], at: int) -> bool:
    program = name_of(wanted[0]).lower() if wanted else ""
    if program and program != name_of(words[at]).lower():
        return False
    first = at if not program else after_globals(words, at) if program == "git" else at + 1
    given, needed = [one.text for one in words[first:]], [one.text for one in wanted[bool(program) :]]
    if program == "git" and needed[:1] and not needed[0].startswith((UNKNOWN, "-")):
        if not given or not _may_be(needed[0], given[0]):
            return False
    if first > at + 1:
        given += [one.text for one in words[at + 1 : first]]
    place = 0
    for text in needed:
        if text == UNKNOWN:
            continue
        if text.startswith("-") and len(text) > 2 - (not text.startswith("--")) and text != "--":
            if not _has_option(text, given):
                return False
            continue
        while place < len(given) and not _may_be(text, given[place]):
            place += 1
        if place >= len(given):
            return False
        place += given[place] != UNKNOWN
    return True


def _may_be(wanted: str, given: str) -> bool:
    if UNKNOWN in given:
        first, last = wanted.partition(UNKNOWN)[0], wanted.rpartition(UNKNOWN)[2]
        begin, end = given.partition(UNKNOWN)[0], given.rpartition(UNKNOWN)[2]
        return _agree(first, begin) and _agree(last[::-1], end[::-1])
    if UNKNOWN in wanted:
        return _is_whole(wanted.replace(UNKNOWN, "*"), given.replace("*", "_"))
    return (
        given == wanted
        or given.endswith(tuple(f"{mark}{wanted}" for mark in "/:="))
        or (given.startswith("-") and given.endswith(wanted))
    )


def _agree(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _has_option(wanted: str, given: Sequence[str]) -> bool:
    name, _, value = wanted.lstrip("-").partition("=")
    if value and not any(_may_be(value, one) for one in given):
        return False
    if any(one.startswith("-") and one.lstrip("-").partition("=")[0] == name for one in given):
        return True
    if wanted.startswith("--"):
        return any(_may_be_long(name, one) for one in given)
    return all(any(_may_be_short(letter, one) for one in given) for letter in name)


def _may_be_long(name: str, given: str) -> bool:
    if given.startswith(UNKNOWN) or given.startswith(MEANT.get(name, UNKNOWN)):
        return True
    if given.startswith("--"):
        return len(given) > 2 and name.startswith(given[2:].partition("=")[0].partition(UNKNOWN)[0])
    return any(_may_be_short(letter, given) for letter in SHORT.get(name, name[:1]))


def _may_be_short(letter: str, given: str) -> bool:
    if given.startswith(UNKNOWN) or given.startswith(MEANT.get(letter, UNKNOWN)):
        return True
    if given.startswith("--"):
        long = given[2:].partition("=")[0]
        return SHORT.get(long, long[:1]).lower() == letter.lower() or long.startswith(UNKNOWN)
    letters = given[1:].replace("R", "r") if given.startswith("-") else ""
    return letter.replace("R", "r") in letters or UNKNOWN in letters
