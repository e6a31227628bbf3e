"""What an agent did as pages show it: neighbours of one kind are one line, an error is open, turns fold."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from mission_control.boards.queries import STUCK_AT
from mission_control.core import times
from mission_control.core.amounts import tokens
from mission_control.core.programs import OTHER, program_name
from mission_control.database.sql import Row
from mission_control.runs.sessions.queries import OWN, ActivityRead
from mission_control.runs.sessions.titles import GAP, begins, ends, first_text

SOURCES = {OWN: "its own", "openclaw": "OpenClaw"}  # of sessions of no connected program
# What an activity is, by the first word of its title: read, search, change or run.
WORDS = {
    "read": "read", "reading": "read", "searched": "search", "searching": "search", "changed": "change",
    "changing": "change", "wrote": "change", "writing": "change", "ran": "run", "running": "run",
}  # fmt: skip
GLYPHS = {
    "read": "eye", "search": "search", "change": "pencil", "run": "terminal", "prompt": "message-square",
    "said": "lightbulb", "plan": "list-checks", "wait": "hand", "gap": "wifi-off",
    "error": "circle-x", "step": "users", "other": "circle",
}  # fmt: skip
KINDS = {
    "RUN_STARTED": "prompt", "RUN_ERROR": "error", "TEXT_MESSAGE_END": "said", "STATE_DELTA": "plan",
    "STEP_STARTED": "step", "STEP_FINISHED": "step", GAP: "gap",
}  # fmt: skip
OUTPUT = ("error", "stderr", "output", "message", "text")
MOST_OUTPUT_LINES = 3
NAMES = 2  # files that a line of several changes names
TOOK_FROM = 1  # second


class Part(NamedTuple):
    """A piece of a title: text or code; marked where it was searched for."""

    text: str
    is_code: bool = False
    is_found: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """A line: something that an agent did, or several of one kind (`inner`)."""

    id: str
    what: str
    glyph: str
    at: datetime
    title: tuple[Part, ...]
    result: str = ""
    tone: str = ""
    output: tuple[Part, ...] = ()
    text: tuple[Part, ...] = ()
    path: str = ""
    is_running: bool = False
    note: Row | None = None
    until: datetime | None = None  # of a while in which nothing could be sent
    inner: tuple["Act", ...] = ()

    @property
    def is_found(self) -> bool:
        parts = (*self.title, *self.output, *self.text)
        return any(part.is_found for part in parts) or any(act.is_found for act in self.inner)

    @property
    def words(self) -> str:
        return "".join(piece.text for piece in self.title)


SPEAKERS = {"program": "Its program", "acp": "Its client", "agent": "The agent itself"}  # of usage, the best first
LEAST_DIFFERENCE = 5  # percent


def differences_of(sources: dict[str, int]) -> list[str]:
    """Return what other sources say of the tokens of a session than the one that counts, where that is much."""
    counts, *others = sorted(sources, key=list(SPEAKERS).index) or [""]
    differences = []
    for name in others:
        percent = round(100 * (sources[name] - sources[counts]) / max(1, sources[counts]))
        if abs(percent) > LEAST_DIFFERENCE:
            how = f"{abs(percent)} % {'more' if percent > 0 else 'less'} than {SPEAKERS[counts].lower()}"
            differences.append(f"{SPEAKERS[name]} says {tokens(sources[name])}, {how}.")
    return differences


def program_of(session: Row) -> str:
    client, version = str(session["client"]), str(session["client_version"] or "")
    if client == OTHER and " " in version:
        return version  # which names the program too
    return f"{SOURCES.get(client) or program_name(client, client)} {version}".strip()


# Modes in which a program decides by itself what else it would ask the person at it.
ASKS_NOBODY = ("auto", "acceptEdits", "bypassPermissions", "dontAsk", "yolo", "never")


def mode_of(session: Row) -> str:
    mode = str(session["mode"] or "")
    return f"{mode} (asks nobody)" if mode in ASKS_NOBODY else mode


def acts_of(items: Sequence[ActivityRead], word: str = "", *, is_open: bool = False) -> list[Act]:
    """Return the lines of activities in their order, those of one call as one; `word` is marked in them.

    What began and has not ended still runs in an open session, unless something else followed it.
    """
    over, began, lines = _pairs(items), dict[UUID, datetime](), []
    for item in items:
        if (end := over.get(item.id)) is not None:
            began[end] = item.at
            continue
        took = (item.at - began[item.id]).total_seconds() if item.id in began else 0.0
        lines.append(_act(item, took, word))
    if is_open and lines and begins(items[-1].kind) and lines[-1].what != "prompt":
        lines[-1] = replace(lines[-1], is_running=True)
    return lines


def _pairs(items: Sequence[ActivityRead]) -> dict[UUID, UUID]:
    """Return which activity ends which; programs that name no calls have the same one several times."""
    pairs, alone = dict[UUID, UUID](), defaultdict[tuple[str, bool], list[UUID]](list)
    for item in items:
        if not item.ref or not (begins(item.kind) or ends(item.kind)):
            continue
        is_end = ends(item.kind)
        if others := alone[item.ref, not is_end]:
            other = others.pop(0)
            pairs.update({other: item.id} if is_end else {item.id: other})
        else:
            alone[item.ref, is_end].append(item.id)
    return pairs


def notes_as_acts(notes: Iterable[Row], word: str = "") -> list[Act]:
    return [
        Act(
            str(note["id"]), "note", "message-square", note["created_at"], _marked(f"“{note['text']}”", word), note=note
        )
        for note in notes
    ]


def _act(item: ActivityRead, took: float, word: str) -> Act:
    detail, what, title, until = item.detail or {}, _what(item), item.title, None
    if what == "gap" and isinstance(seconds := detail.get("seconds"), int):
        until = item.at + timedelta(seconds=seconds)
        title = "".join(title.partition(";")[1:])  # what precedes it is said by the moments
    text, is_bad = first_text(detail, OUTPUT).strip(), item.state == "failed" or what == "error"
    return Act(
        id=str(item.id),
        what=what,
        glyph=GLYPHS[what],
        at=item.at,
        title=tuple(_parts(title, first_text(detail, ("command", "cmd")), word)),
        result=_result(item, took),
        tone="bad" if is_bad else {"wait": "ask", "gap": "warn"}.get(what, ""),
        output=_marked("\n".join(text.splitlines()[-MOST_OUTPUT_LINES:]), word) if is_bad else (),
        text=_marked(text, word) if what in ("prompt", "said") else (),
        path=first_text(detail, ("path", "file_path")),
        until=until,
    )


def _result(item: ActivityRead, took: float) -> str:
    result = item.state if item.state in ("failed", "refused") and item.state not in item.title else ""
    if took >= TOOK_FROM and not re.search(r"\d (s|min|h)\b", item.title):
        return ", ".join(filter(None, (result, _took(took))))
    return result


def _what(activity: ActivityRead) -> str:
    if activity.kind in KINDS:
        return KINDS[activity.kind]
    if activity.kind == "ACTIVITY" and activity.title.startswith(("Asked", "Asks", "Waits")):
        return "wait"
    return WORDS.get(activity.title.partition(" ")[0].lower(), "other")


def _took(seconds: float) -> str:
    return f"{round(seconds)} s" if seconds < times.MINUTE else f"{round(seconds / times.MINUTE)} min"


def _parts(title: str, command: str, word: str) -> Iterable[Part]:
    first = command.strip().partition("\n")[0]
    if first and "`" not in title and first in title:
        title = title.replace(first, f"`{first}`", 1)
    for index, text in enumerate(title.split("`")):
        yield from _marked(text, word, is_code=index % 2 == 1)


def _marked(text: str, word: str, *, is_code: bool = False) -> tuple[Part, ...]:
    pieces = re.split(f"({re.escape(word)})", text, flags=re.IGNORECASE) if word else [text]
    return tuple(Part(piece, is_code, is_found=index % 2 == 1) for index, piece in enumerate(pieces) if piece)


FOLDED = {"read": "look", "search": "look", "change": "change"}


def folded(acts: Iterable[Act], *, commands: bool = False) -> list[Act]:
    kinds, folded_acts = FOLDED | ({"run": "run"} if commands else {}), list[Act]()
    for kind, group in groupby(acts, key=lambda act: None if act.tone or act.is_running else kinds.get(act.what)):
        lines = list(group)
        if kind is None or len(lines) == 1:
            folded_acts += lines
        else:
            title = (Part(_summary(lines)),)
            first, last = lines[0], lines[-1]
            folded_acts.append(Act(f"{first.id}-group", first.what, first.glyph, last.at, title, inner=tuple(lines)))
    return folded_acts


def in_words(acts: Iterable[Act]) -> str:
    """Return what was done, as a sentence for a folded turn: `Read 22 files, searched 6 times, ran 3 commands`."""
    return _summary([line for act in acts for line in (act.inner or (act,)) if line.what in WORDS.values()])


def _summary(lines: Sequence[Act]) -> str:
    counts, files = Counter(act.what for act in lines), defaultdict[str, set[str]](set)
    for act in lines:
        files[act.what].add(act.path or act.words)
    names = sorted({act.path.rpartition("/")[2] for act in lines if act.what == "change" and act.path})
    is_named = len(names) == len(files["change"]) <= NAMES and counts["change"] == len(lines)
    parts = {
        "read": f"read {_number(len(files['read']), 'file')}",
        "search": "searched once" if counts["search"] == 1 else f"searched {counts['search']} times",
        "change": f"changed {', '.join(names) if is_named else _number(len(files['change']), 'file')}",
        "run": f"ran {_number(counts['run'], 'command')}",
    }
    text = ", ".join(part for what, part in parts.items() if counts[what])
    return text[:1].upper() + text[1:]


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@dataclass(slots=True)
class Turn:
    """What followed one prompt: lines, and the answer at the end of it."""

    id: str
    at: datetime
    prompt: Act | None = None
    acts: list[Act] = field(default_factory=list)
    answer: Act | None = None
    is_last: bool = False
    is_searched: bool = False

    @property
    def lines(self) -> list[Act]:
        """What is shown of it: in a search what was found, with the line before and the line after."""
        if not self.is_searched:
            return self.acts
        near = {place + step for place, act in enumerate(self.acts) if act.is_found for step in (-1, 0, 1)}
        return [act for place, act in enumerate(self.acts) if place in near]

    @property
    def until(self) -> datetime:
        ends = [act.at for act in (*self.acts, self.answer or self.prompt) if act is not None]
        return max(ends, default=self.at)

    @property
    def found(self) -> int:
        lines = [one for act in (self.prompt, *self.acts, self.answer) if act for one in (act.inner or (act,))]
        return sum(part.is_found for line in lines for part in (*(line.text or line.title), *line.output))

    @property
    def is_open(self) -> bool:
        return self.is_last or any(act.is_found for act in self.acts)

    @property
    def words(self) -> str:
        return in_words(self.acts) or _number(len(self.acts), "action")

    @property
    def took(self) -> str:
        return _took((self.until - self.at).total_seconds())


def turns_of(acts: Iterable[Act], others: Iterable[Act] = (), *, is_searched: bool = False) -> list[Turn]:
    turns = list[Turn]()
    for act in _merged(acts, others):
        is_prompt = act.what == "prompt"
        if is_prompt or not turns:
            turns.append(Turn(act.id, act.at, act if is_prompt else None, is_searched=is_searched))
        if not is_prompt:
            turns[-1].acts.append(act)
    for turn in turns:
        if turn.acts and turn.acts[-1].what == "said":
            turn.answer = turn.acts.pop()
        turn.acts = folded(turn.acts)
    if turns:
        turns[-1].is_last = True
    return turns


def _merged(acts: Iterable[Act], others: Iterable[Act]) -> list[Act]:
    lines = list(acts)
    for other in others:
        lines.insert(next((index for index, act in enumerate(lines) if act.at > other.at), len(lines)), other)
    return lines


# How a session goes, by its state: group of the list, words after the agent's name, icon, tone.
STATES = {
    "waiting": ("waits for an answer", "hand", "ask"),
    "ready": ("has its answer and goes on", "play", "run"),
    "working": ("works", "loader-circle", "run"),
    "stuck": ("is stuck", "rotate-ccw", "bad"),
    "lost": ("gives no sign", "hourglass", "warn"),
    "idle": ("has finished its turn", "circle-dot", ""),
    "ended": ("has ended", "circle-check", ""),
}


def state_of(session: Row) -> str:
    if session["state"] == "waiting" and session.get("ready_at") is not None:
        return "ready"
    is_stuck = session["state"] in ("working", "lost") and session["failures"] >= STUCK_AT
    return "stuck" if is_stuck else str(session["state"])


def changed_files(acts: Iterable[Act]) -> list[str]:
    return sorted({act.path for act in acts if act.what == "change" and act.path})


def plan_of(session: Row) -> list[Row]:
    signs = {"completed": ("circle-check", "ok", "done", "Done"), "in_progress": ("circle-dot", "run", "now", "Now")}
    if session["ended_at"] is not None:
        signs["in_progress"] = ("circle", "", "", "")
    names = ("glyph", "tone", "state", "word")
    return [
        {"text": step["text"], **dict(zip(names, signs.get(step["state"], ("circle", "", "", "")), strict=True))}
        for step in session["plan"]
    ]
