"""Patterns of calls, as Claude Code writes its permission rules: `Bash(git status *)`, `WebFetch`, `mcp__shop__*`.

The server and this program read them alike, and each way to its safe side. What may run without asking is the whole of
one plain command. What needs a yes is found wherever it stands in a command, however it is quoted.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

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


def concerns(pattern: str, tool: str, given: Mapping[str, object]) -> bool:
    """Return whether a call has what a pattern names, anywhere in it."""
    name, text = _parts(pattern)
    command = given.get("command")
    # A tool of another name runs commands too; a patch is none.
    is_shell = tool == SHELL or (isinstance(command, str) and tool != "apply_patch")
    if text is None:
        return _is_named(name, tool) or (name == SHELL and is_shell)
    return is_shell and isinstance(command, str) and _is_in(_bare(text), _bare(command))


def is_exact(pattern: str) -> bool:
    """Return whether a pattern names one command, and no others like it."""
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


def _is_in(text: str, command: str) -> bool:
    parts, at = text.split("*"), 0
    for number, part in enumerate(parts):
        words = part.strip()
        if not words:
            continue
        begins = r"(?<![\w-])" if number == 0 or part.startswith(" ") else ""
        ends = r"(?![\w-])" if number == len(parts) - 1 or part.endswith(" ") else ""
        found = re.compile(f"{begins}{re.escape(words)}{ends}", re.IGNORECASE).search(command, at)
        if found is None:
            return False
        at = found.end()
    return True


def _bare(command: str) -> str:
    """Return a command as its words are called: without quotes, on one line."""
    return " ".join(re.sub(r"['\"\\]", "", command.replace("\\\n", "")).split())
