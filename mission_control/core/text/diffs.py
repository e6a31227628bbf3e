"""Unified diffs, as people read them: by file, with bounds. What a diff holds was written by others."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_NUMBERS = "([0-9]{1,9})(?:,([0-9]{1,9}))?"
HUNK = re.compile(rf"^@@+ -{_NUMBERS} .*?\+{_NUMBERS} @@", re.MULTILINE)
KINDS = {"+": "added", "-": "removed"}
LONGEST_LINE = 1000
# What one does not see, or what moves what one sees: written out, so that nothing hides in a diff.
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
# What turns a name around, ends it, or drives a terminal. What joins letters, and line breaks, stay.
MOVING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
STATES = {"new file mode": "new", "deleted file mode": "deleted", "rename from": "renamed", "copy from": "copied"}


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a diff: `added`, `removed`, `hunk` or `same`, and its numbers before and after."""

    kind: str
    text: str
    before: int | None
    after: int | None


@dataclass(slots=True)
class FileDiff:
    """The change of one file, with how many lines were added and removed; `hidden` lines are not shown.

    `state` says in a word what else became of it: new, deleted, renamed, copied, binary, or its mode.
    """

    path: str
    lines: list[DiffLine] = field(default_factory=list)
    added: int = 0
    removed: int = 0
    hidden: int = 0
    former: str = ""
    state: str = ""

    def add(self, line: DiffLine, most: int) -> None:
        self.added += line.kind == "added"
        self.removed += line.kind == "removed"
        if len(self.lines) < most:
            self.lines.append(line)
        else:
            self.hidden += 1


def is_diff(text: str) -> bool:
    return bool(HUNK.search(text)) or bool(re.search(r"^--- .*\n\+\+\+ ", text, re.MULTILINE))


def lines_changed(files: int, added: int, removed: int) -> str:
    return f"{files:,} {'file' if files == 1 else 'files'} +{added:,} \N{MINUS SIGN}{removed:,}"


def parsed(text: str, path: str, most: int) -> list[FileDiff]:
    """Return the files of a unified diff, with at most so many lines of all of them; `path` where it names none."""
    files: list[FileDiff] = []
    for file in _files(text, path, max(0, most)):
        if file.lines or file.hidden or file.state:
            file.path = file.path or "Change"
            files.append(file)
    return files


@dataclass(slots=True)
class _Hunk:
    """The numbers of the next line before and after, and how many lines of each the hunk still has."""

    before: int
    olds: int
    after: int
    news: int

    def line(self, text: str) -> DiffLine | None:
        """Return the next line of the hunk, None for what is none."""
        # Diffs that models write count badly: what looks like a line of the hunk is one.
        is_counted = (self.olds > 0 or self.news > 0) and text[:1] in ("+", "-", " ", "")
        if not is_counted and (text[:1] not in ("+", "-", " ") or text.startswith("--- ")):
            return None
        kind = KINDS.get(text[:1], "same")
        is_old, is_new = kind != "added", kind != "removed"
        line = DiffLine(kind, _seen(text[1:]), self.before if is_old else None, self.after if is_new else None)
        self.before, self.olds = self.before + is_old, self.olds - is_old
        self.after, self.news = self.after + is_new, self.news - is_new
        return line


def _files(text: str, path: str, most: int) -> Iterator[FileDiff]:
    file, left = FileDiff(path), most
    hunk: _Hunk | None = None
    for line in re.split(r"\r?\n", text.removesuffix("\n")):
        if hunk is not None and (in_hunk := hunk.line(line)) is not None:
            file.add(in_hunk, left)
        elif (head := HUNK.match(line)) is not None:
            hunk = _Hunk(*map(int, head.groups("1")))
            file.add(DiffLine("hunk", _seen(line), None, None), left)
        elif line.startswith(("diff --git ", "Index: ")) or (line.startswith("--- ") and hunk is not None):
            yield file
            left -= len(file.lines)
            file, hunk = FileDiff(path or _path(line)), None
        elif hunk is None:
            _read_head(file, line, path)
    yield file


def _read_head(file: FileDiff, line: str, path: str) -> None:
    if line.startswith(("--- ", "+++ ")):
        file.path = path or _path(line) or file.path
    elif line.startswith(("rename to ", "copy to ")):
        file.path = path or _named(line.split(" ", 2)[2])
    else:
        _read_state(file, line)


def _read_state(file: FileDiff, line: str) -> None:
    if line.startswith(("Binary files ", "GIT binary patch")):
        file.state = "binary"
    elif line.startswith("new mode "):
        file.state = file.state or f"mode {_seen(line.split()[-1])}"
    for head, state in STATES.items():
        if line.startswith(f"{head} "):
            file.state = state
            file.former = _named(line.removeprefix(f"{head} ")) if state in ("renamed", "copied") else ""


def _path(line: str) -> str:
    if line.startswith("diff --git "):
        match = re.search(r'(?: b/| "b/)', line)
        name = line[match.start() + 1 :] if match else line.removeprefix("diff --git ")
    else:
        name = line.partition(" ")[2].split("\t")[0]
    name = _named(name.strip())
    return "" if name == "/dev/null" else re.sub(r"^[ab]/", "", name)


def _named(name: str) -> str:
    """Return a path as it is: git writes those with bytes above 127 in quotes, in octal."""
    if len(name) > 1 and name[0] == name[-1] == '"':
        raw = re.sub(
            rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8) & 255]), name[1:-1].encode("latin-1", "replace")
        )
        name = raw.decode("utf-8", "replace").replace('\\"', '"').replace("\\\\", "\\")
    return _seen(name)


def visible(text: str) -> str:
    return UNSEEN.sub(lambda match: match[0] if match[0] == "\n" else _code_point(match), text)


def steady(text: str) -> str:
    """Return a text with what would move the text around it written out."""
    return text if text.isprintable() else MOVING.sub(_code_point, text)


def _code_point(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _seen(text: str) -> str:
    return visible(text) if len(text) <= LONGEST_LINE else f"{visible(text[:LONGEST_LINE])}…"
