"""`--agent`: our own programs by name, those of the protocol's registry by theirs, and any command."""

from __future__ import annotations

import difflib
import os
import shlex
import shutil

from mission_control.client import credentials
from mission_control.client.problems import Usage
from mission_control.client.program import TRY_LATER, Program, keys, program_of
from mission_control.client.work.ends import OVERLOAD, Sign
from mission_control.client.work.registry import ENVIRONMENTS, LISTED, REGISTRY

RUNNERS = {
    "npx": "Install Node.js, which brings it: https://nodejs.org",
    "uvx": "Install uv, which brings it: https://docs.astral.sh/uv",
}


class Listed(Program):
    """A program of the registry: it is another one to the board, and `COMMON` says why its turns end."""

    def __init__(self, name: str) -> None:
        self.key, self.listed = "other", name
        self.name, source, *commands = REGISTRY[name]
        self.acp_commands = tuple(commands)
        self.install = RUNNERS.get(commands[0].split()[0], f"Install {self.name}: {source}")

    def environment(self) -> dict[str, str]:
        return {**ENVIRONMENTS.get(self.listed, {}), **super().environment()}


def program_for_work(named: str, *, acp: bool) -> Program:
    """The program with this key, command or name in the registry; else what a command line is."""
    ours = [program_of(key) for key in keys()]
    for program in ours:
        if named in (program.key, program.command):
            return program
    return Listed(named) if named in REGISTRY else _command(named, ours, acp)


def _command(named: str, ours: list[Program], acp: bool) -> Program:
    try:
        words = shlex.split(named)
    except ValueError as error:
        raise Usage(f"{named!r} is no command: {error}.") from error
    if not words:
        raise Usage(f"--agent is {', '.join(program.command for program in ours)}, or a command.")
    if len(words) == 1 and os.sep not in named and not shutil.which(named):
        raise Usage(_unknown(named, ours), "program_missing")
    other = Program()
    other.key, other.acp_commands, other.acp = "other", (named,), acp
    other.signs = (Sign(OVERLOAD, str(TRY_LATER)),)
    return other


def _unknown(named: str, ours: list[Program]) -> str:
    names = [*(program.key for program in ours), *(program.command for program in ours), *REGISTRY]
    parts = [name for name in names if named.casefold() in name]
    near = list(dict.fromkeys([*parts, *difflib.get_close_matches(named.casefold(), names, 3)]))[:3]
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return (
        f"{named} is no program that `work` knows, and no command on the PATH.{hint}"
        f" `{credentials.called()} work --agents` lists the programs that it knows."
    )


def listing() -> str:
    """A line for each program: its name, how it is started, and whether it is on this machine."""
    ours = [(program.key, program) for program in map(program_of, keys())]
    rows = [_row(name, program) for name, program in [*ours, *((name, Listed(name)) for name in REGISTRY)]]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"{name:{widths[0]}}  {command:{widths[1]}}  {state}".rstrip() for name, command, state in rows]
    return "\n".join([*lines, "", f"Besides ours, the registry of the Agent Client Protocol, as of {LISTED}."])


def _row(name: str, program: Program) -> tuple[str, str, str]:
    try:
        command = program.acp_command()
    except Usage as problem:
        return name, program.acp_commands[0], problem.text
    words = [os.path.basename(command[0]), *command[1:]]
    return name, shlex.join(words), "fetched when it starts" if words[0] in RUNNERS else "on this machine"
