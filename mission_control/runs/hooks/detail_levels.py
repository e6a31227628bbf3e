"""What is kept of what programs report, decided before it is stored, logged or queued: by the level of the board.

`names`: tools, the names of files, the first word of a command, how long and how large. `commands`: command lines and
paths too. `all`: prompts, what was given to tools, and results. What a level does not name is dropped.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import NamedTuple

import orjson

from mission_control.boards.schemas import SessionDetail
from mission_control.core.text.masking import Mask
from mission_control.core.values import JsonObject

LONGEST = 4_000
MASK = Mask(forms=True)
NAME = re.compile(r"[A-Za-z0-9][\w.:/-]{0,99}")  # of a tool, an event, a mode, a model
WORD = re.compile(r"[A-Za-z][\w.+-]{0,30}")  # a program, as a command begins with it
PATHS = ("file_path", "notebook_path", "path", "dir_path", "filePath")
# What is told of a call beside its tool and its path, at the level `commands`.
ABOUT = ("command", "pattern", "query", "url", "description")


class Kept(NamedTuple):
    """What a board keeps of a session that runs in a folder."""

    level: SessionDetail
    folder: str = ""

    def call(self, tool: object, arguments: object) -> JsonObject:
        values = arguments if isinstance(arguments, Mapping) else {}
        path = next((text for name in PATHS if (text := text_of(values.get(name)))), "")
        detail = {"tool": name_of(tool) or "a tool", "path": path and self._path(path)}
        if self.level == "names":
            detail["command"] = first_word(text_of(values.get("command")))
        else:
            detail |= {name: text_of(values.get(name)) for name in ABOUT}
        if self.level == "all" and (rest := {k: v for k, v in values.items() if k not in (*PATHS, *ABOUT)}):
            detail["input"] = in_text(rest)
        return {name: value for name, value in detail.items() if value}

    def text(self, value: object) -> str:
        return in_text(value) if self.level == "all" and value else ""

    def _path(self, path: str) -> str:
        parts = _path_of(path)
        if self.level == "names":
            return parts.name
        try:
            return str(parts.relative_to(_path_of(self.folder))) if self.folder else path
        except ValueError:
            return path


def text_of(value: object) -> str:
    """Return a text as it can be stored, without what looks like a credential; nothing for anything else."""
    return MASK.text(value.replace("\x00", "")[: LONGEST * 2])[:LONGEST] if isinstance(value, str) else ""


def in_text(value: object) -> str:
    try:
        return text_of(value if isinstance(value, str) else orjson.dumps(value).decode())
    except TypeError:  # an integer that JSON writes and nothing here stores
        return ""


def name_of(value: object) -> str:
    return value if isinstance(value, str) and NAME.fullmatch(value) else ""


def first_word(command: str) -> str:
    """Return the program that a command runs, without its folder; nothing where another thing may stand there."""
    first = (command.split(maxsplit=1) or [""])[0]
    name = first.rpartition("/")[2]
    return name if WORD.fullmatch(name) and re.fullmatch(r"[\w./+-]+", first) else ""


def last_part(folder: str) -> str:
    return _path_of(folder).name


def _path_of(path: str) -> PurePosixPath | PureWindowsPath:
    return PureWindowsPath(path) if "\\" in path and "/" not in path else PurePosixPath(path)
