"""What a program that people connect and `work` runs says of itself, and what is done alike for all of them.

Each is a module below `programs/` with a `PROGRAM`; the module's name is its key on the board. Which of its files get
what is a table: a file, places in it, values.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import shutil
import subprocess
from importlib import import_module

from mission_control.client import credentials, gate
from mission_control.client.jsonc import Document, hooks_in, without_hooks
from mission_control.client.printing import plain
from mission_control.client.problems import Problem, Usage
from mission_control.client.script import is_our_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypedDict

    from mission_control.client.changes import Change, Kept
    from mission_control.client.connect import Target
    from mission_control.client.work.ends import Sign

    class Window(TypedDict):
        """A span of time of a subscription, how much of it is used up, and when it begins anew."""

        name: str
        used_percent: float
        resets_at: str | None


SERVER = "mission-control"  # the tools of the board, as programs name them
PROMPT = "PermissionRequest"  # the event that may wait long, for it is on the screen
TRY_LATER = 75  # the exit code of a command that may succeed later, as `sysexits.h` has it
SECONDS = 300.0  # a turn on a busy machine


def keys() -> list[str]:
    import pkgutil

    from mission_control.client import programs

    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(programs.__path__))


def program_of(key: str) -> Program:
    program: Program = import_module(f"mission_control.client.programs.{key.replace('-', '_')}").PROGRAM
    return program


class Turn:
    """What a program said about a turn: its session, and how it found the tools of the board, if it tells."""

    def __init__(self, session: str, trouble: str, tools: str = "") -> None:
        self.session, self.trouble, self.tools = session, trouble, tools


class Settings:
    """A file of a program: `add` puts in what is ours, `strip` takes it out, however the file was changed since."""

    def __init__(
        self, path: str, add: Callable[[bytes, Target], bytes], strip: Callable[[bytes], bytes], *, secret: bool = False
    ) -> None:
        self.path, self.add, self.strip, self.has_secret = path, add, strip, secret


class Place:
    """A place in a JSON file, what we put there (None: nothing), and whether what stands there is ours."""

    def __init__(
        self,
        path: Sequence[str],
        value: Callable[[Document, Target], object],
        is_ours: Callable[[Document], bool] = lambda document: True,
    ) -> None:
        self.path, self.value, self.is_ours = tuple(path), value, is_ours


class JsonSettings(Settings):
    """A JSON file: our hooks behind those of others, and values at their places."""

    def __init__(self, program: Program, path: str, places: Sequence[Place] = (), *, secret: bool = False) -> None:
        super().__init__(path, self._added, self._stripped, secret=secret)
        self._program, self._places = program, places

    def _added(self, content: bytes, target: Target) -> bytes:
        document = Document(content, self.path)
        for event, hook in self._program.hooks(target):
            document.append(("hooks", event), {"hooks": [hook]})
        for path, value in [(place.path, place.value(document, target)) for place in self._places]:
            if value is not None:
                document.put(path, value)
        return document.content

    def _stripped(self, content: bytes) -> bytes:
        document = Document(content, self.path)
        without_hooks(document, self._program.is_ours)
        ours = [one.path for one in self._places if document.get(*one.path) is not None and one.is_ours(document)]
        for path in ours:
            document.remove(path)
            if path[1:] and not document.get(*path[:-1]):
                document.remove(path[:-1])
        return document.content


class Program:
    key = name = command = ""  # on the board, for people, and what they run
    listed = install = ""  # its name in the registry of its protocol, and how people get it
    least: tuple[int, ...] = ()  # its oldest version
    update = "Update it first."
    holds = False  # calls, by a hook that refuses them when it gets no answer
    mode = ""  # what is asked of who lets it decide by itself
    plan = ""  # what is done besides the files
    # Of what its hooks tell, for how long they may run, and what else stands in each, in those of prompts and gates.
    events: tuple[str, ...] = ()
    timeout, timeouts = 10, {}  # type: int, dict[str, int]
    hook_names, of_prompts, of_gates = {}, {}, {}  # type: dict[str, str], dict[str, str], dict[str, str]
    # A look at the connection: what it is asked, what its model has it do, how many activities a whole turn is, the
    # field of what it prints that names the session, and a text that is there after a turn.
    asked = "Say the name, as Mission Control looks whether its connection works."
    call: tuple[str, dict[str, str]] = ("bash", {"command": "echo Mission Control", "description": "Say a name"})
    activities = 5  # opened, prompted, a call begun and ended, finished
    session_field, ends_with = "session_id", '"result"'
    # For `work`: its commands by the Agent Client Protocol, if it speaks that, and the mode in which it asks.
    acp, acp_commands, acp_mode = True, (), ""  # type: bool, tuple[str, ...], str
    own = ""  # the variable by which an adapter takes the program that is installed: `VARIABLE=command`
    # Why it ends a turn: where the code of an error stands, and what codes and words say (see `work/ends.py`).
    error_code: tuple[str, ...] = ("data", "code")
    signs: tuple[Sign, ...] = ()
    account_names = ()  # type: tuple[str, ...] # of its environment
    serves = False  # its messages, at a port of this machine
    lacks = ""  # what it tells nobody of: its request for a "title", or small ones beside the conversation

    @property
    def path(self) -> str:
        """The settings in which its hooks are named, if it has some."""
        raise NotImplementedError

    @property
    def document(self) -> Document:
        return document_at(self.path)

    def files(self, kept: Kept) -> list[Settings]:
        raise NotImplementedError

    def hooks(self, target: Target) -> Iterator[tuple[str, dict[str, object]]]:
        for event in self.events:
            seconds, is_prompt = self.timeouts.get(event, self.timeout), event == PROMPT
            command = target.hook(self.key, seconds - 5 if is_prompt else 0)
            hook = {**self.hook_names, "type": "command", "command": command, "timeout": seconds}
            yield event, {**hook, **(self.of_prompts if is_prompt else {})}
        if command := target.gate(self.key):
            yield "PreToolUse", {"type": "command", "command": command, "timeout": gate.LIMIT, **self.of_gates}

    def is_ours(self, hook: dict[str, object]) -> bool:
        """Whether a hook is ours, also as an earlier version wrote it."""
        return is_our_command(hook.get("command"), self.key)

    def takes(self, file: Settings, target: Target) -> bool:
        """Whether a file gets anything of ours."""
        return True

    def changes(self, kept: Kept, target: Target) -> list[Change]:
        return [self.change(kept, file, target) for file in self.files(kept) if self.takes(file, target)]

    def change(self, kept: Kept, file: Settings, target: Target) -> Change:
        is_secret = file.has_secret and target.in_settings
        return kept.change(file.path, lambda content: file.add(content, target), file.strip, is_secret)

    def strips(self, kept: Kept) -> dict[str, Callable[[bytes], bytes]]:
        return {file.path: file.strip for file in self.files(kept)}

    def secret_path(self, kept: Kept) -> str:
        """Return where the token stands, "" when the program reads the file of the connection itself."""
        return next((file.path for file in self.files(kept) if file.has_secret), "")

    def finish(self, kept: Kept, target: Target) -> str:
        """Do what is left once the files are written, and return what its person has to know."""
        raise NotImplementedError

    def remove_tools(self, program: str) -> str:
        """Take away what stands in no file of `files`, and return what was done, in a line."""
        return ""

    def asks_nobody(self) -> str:
        """Return why it asks nobody for permission, "" when it asks."""
        raise NotImplementedError

    def entries(self, program: str) -> str:
        """Return what is missing of our entries or forbids them, "" when they are whole."""
        raise NotImplementedError

    def missing(self, document: Document) -> list[str]:
        present = {event for event, hook in hooks_in(document) if self.is_ours(hook)}
        return [event for event in self.events if event not in present]

    def look(self, url: str, folder: str) -> tuple[list[str], dict[str, str]]:
        """Return by which arguments and names in its environment it takes a turn with a model at another address."""
        raise NotImplementedError

    def turn(self, program: str, url: str, folder: str) -> Turn:
        arguments, names = self.look(url, folder)
        output, session, tools = run(program, arguments, folder, names)[1], "", ""
        for line in output.splitlines():
            with contextlib.suppress(ValueError, AttributeError, TypeError):
                message = json.loads(line)
                session = str(message.get(self.session_field) or session)
                servers = {server.get("name"): server.get("status") for server in message.get("mcp_servers", ())}
                tools = str(servers.get(SERVER, tools))
        return Turn(session, "" if self.ends_with in output else output[-300:], tools)

    def tools(self, program: str) -> str:
        """Return how it finds the tools of the board, "" when only a turn tells."""
        return ""

    def windows(self, program: str) -> list[Window]:
        return []

    def account(self) -> str:
        """Return what tells the account of its user apart from others on this machine: alike, its windows are alike."""
        names = ("HOME", *self.account_names)
        mark = "\0".join([self.listed or self.key, *(f"{name}={os.environ.get(name, '')}" for name in names)])
        return hashlib.sha256(mark.encode("utf-8", "surrogateescape")).hexdigest()[:32]

    def has_failed(self, update: object) -> bool:
        """Whether an update of its session says that the turn fails, though it is going to end as others do."""
        return False

    def commands(self) -> dict[str, str]:
        """Return our command for each event, by its settings."""
        hooks = hooks_in(self.document) if self.events else ()
        return {event: str(hook["command"]) for event, hook in hooks if is_our_command(hook.get("command"), self.key)}

    def acp_command(self) -> list[str]:
        for text in self.acp_commands:
            words = shlex.split(text)
            if path := shutil.which(words[0]):
                return [os.path.abspath(path), *words[1:]]  # it is started where a program may have put another one
        first = shlex.split(self.acp_commands[0])[0]
        raise Usage(f"{first} is not installed, or not on the PATH. {self.install}".strip(), "program_missing")

    def environment(self) -> dict[str, str]:
        variable, _, program = self.own.partition("=")
        path = shutil.which(program) if program else None
        own = {variable: path} if path and not os.environ.get(variable) else {}
        return {**credentials.environment(), **own}


def document_at(path: str) -> Document:
    """Read a JSON file; one that is not there is empty."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        content = b""
    return Document(content, path)


def answer_of(command: str, typed: str) -> str | None:
    """Return what a command for the shell prints, None when that is no JSON or it fails."""
    pipe = subprocess.PIPE
    try:
        done = subprocess.run(
            command, shell=True, input=typed.encode(), stdout=pipe, stderr=pipe, timeout=SECONDS, check=False
        )
        json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode() if done.returncode == 0 else None


def run(
    program: str, arguments: list[str], folder: str | None = None, more: dict[str, str] | None = None
) -> tuple[bool, str]:
    """Return whether a command ended well, and what it printed. Without a folder it runs where no settings are."""
    try:
        done = subprocess.run(
            [program, *arguments], cwd=folder or os.sep, env={**os.environ, **(more or {})}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Problem(f"{os.path.basename(program)} did not end well: {plain(error)}", "program_failed") from error
    return done.returncode == 0, plain(done.stdout.decode("utf-8", "replace")).strip()
