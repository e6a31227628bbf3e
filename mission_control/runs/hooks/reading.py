"""Read the hooks of programs that people run: a table a program says what each of its events is.

An event that no table names is an activity by its name, so that a newer program is shown as far as it is understood.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import orjson

from mission_control.agents.usage.schemas import RequestUsage, TimedUsage
from mission_control.core import times
from mission_control.core.programs import ConnectedProgram
from mission_control.core.values import JsonObject
from mission_control.runs.hooks.detail_levels import Kept, in_text, last_part, name_of, text_of
from mission_control.runs.sessions import reports
from mission_control.runs.sessions.reports import ActivityGiven, ReportedState, SessionGiven, StepChange, StepGiven
from mission_control.runs.sessions.titles import GAP, gap_title


class Event(NamedTuple):
    """What an event of a program is: its kind, what names it in its session, and what follows from it.

    `key` are the fields that name it; without one it is named by what it says and when. `call`: it is about a
    call of a tool, with this outcome if it has ended. `text` is a field that is kept at the level `all`, `note` whether
    a note of people can ride on its answer, and `stops` whether its answer can refuse the call. `asks`: its answer is
    what a person decides; `settles`: what was asked before is over then, of the call, of the turn, of a helper, or all.
    """

    kind: str = "ACTIVITY"
    key: tuple[str, ...] = ()
    title: str = ""
    state: ReportedState | None = None
    call: Literal["", "begun", "ok", "failed", "refused"] = ""
    text: str = ""
    note: bool = False
    stops: bool = False
    ends: bool = False
    asks: bool = False
    settles: Literal["", "call", "turn", "helper", "session"] = ""
    more: "Callable[[Hook], None] | None" = None


class When(NamedTuple):
    """When an event happened, the minute that tells two equal ones apart, and whether it comes late.

    `check` is the word of a look at whether the connection works, which the answers to it have.
    """

    at: datetime
    minute: str
    is_late: bool = False
    check: str = ""

    @classmethod
    def of(cls, at: int | None = None, age: int | None = None, check: str | None = None) -> "When":
        """Return when it was: now, or so many seconds ago; `at` are seconds by the clock of its machine."""
        now = times.clock_now()
        happened = now - min(timedelta(seconds=age or 0), reports.OLDEST)
        return cls(happened, f"{now:%Y%m%d%H%M}" if at is None else str(at // 60), age is not None, check or "")


DENIED = "denied this on the board"  # so a no begins, behind a name


class Verdict(NamedTuple):
    """What a person decided: `allow-once`, `allow-always`, `deny` or `stop`, with words for a no; and who did."""

    answer: str
    words: str
    who: str = ""


@dataclass(frozen=True)
class Program(ConnectedProgram):
    """A program whose hooks are read, and how it is answered.

    What it asks people waits at most so long (None: as long as the board says); it may ask at its keyboard at the same
    time, or have no keyboard and ask again until it is answered. `asking` is the answer by which it asks what it would
    not ask, `passing` the one by which it does what was held.
    """

    events: Mapping[str, Event]
    refusal: "Callable[[Hook, str], JsonObject]"
    carried: "Callable[[Hook, str], JsonObject]"
    verdict: "Callable[[Hook, Verdict], JsonObject]"
    waits: timedelta | None = timedelta()
    asks_there_too: bool = False
    asks_again: bool = False
    asking: "Callable[[Hook, str], JsonObject] | None" = None
    ends_turns: bool = False  # by the answer `stop`; of others the next calls are refused
    passing: "Callable[[Hook, str], JsonObject] | None" = None
    keeps_costs: bool = True  # while the server is away
    records: "Mapping[str, Reader]" = field(default_factory=dict)  # what it tells by OTLP, by its event

    def install(self) -> None:
        super().install()
        READERS.update(self.records)


type Reader = Callable[[JsonObject], Iterable[tuple[SessionGiven, RequestUsage | None]]]
READERS: dict[str, Reader] = {}


@dataclass(slots=True)
class Hook:
    """One event of a session: what came, and what is kept of it."""

    program: Program
    body: JsonObject
    kept: Kept
    name: str
    event: Event
    session: SessionGiven
    when: When
    items: list[ActivityGiven] = field(default_factory=list)
    plan: list[StepGiven] | None = None
    steps: list[StepChange] = field(default_factory=list)
    usage: list[RequestUsage] = field(default_factory=list)
    state: ReportedState | None = None
    end_reason: str | None = None

    @property
    def ref(self) -> str | None:
        """What joins the beginning and the end of a call; a helper counts its calls by itself."""
        return ":".join(filter(None, (self.of("agent_id"), self.of("tool_use_id"))))[:255] or None

    @property
    def tool(self) -> str:
        return name_of(self.body.get("tool_name"))

    @property
    def arguments(self) -> JsonObject | None:
        """What the tool is called with; None for a call that is unlike that of any tool."""
        arguments = self.body.get("tool_input")
        return arguments if isinstance(arguments, dict) else None

    @property
    def call(self) -> JsonObject:
        """What is kept of the call that it is about."""
        return self.kept.call(self.body.get("tool_name"), self.body.get("tool_input"))

    def of(self, name: str) -> str:
        return text_of(self.body.get(name))

    def add(self, kind: str, key: str = "", **more: Any) -> None:
        self.items.append(ActivityGiven(key=key or None, at=self.when.at, kind=kind, **more))

    def end_call(self, call: JsonObject, outcome: str | None) -> None:
        """A call has ended; which event says so first makes no difference."""
        ref = ":".join(filter(None, (self.of("agent_id"), text_of(call.get("tool_use_id")))))[:255]
        detail = self.kept.call(call.get("tool_name"), call.get("tool_input"))
        if isinstance(took := call.get("duration_ms"), int) and 0 <= took < 2**53:
            detail["duration_ms"] = took
        if (output := call.get("tool_response", call.get("error"))) not in (None, ""):
            detail["size"] = len(output if isinstance(output, str) else in_text(output))
            if text := self.kept.text(output):
                detail["error" if outcome == "failed" else "output"] = text
        if agent := name_of(self.body.get("agent_type")):
            detail["agent"] = agent
        key = named("end", *filter(None, (ref, self.of("timestamp")))) if ref else self.key(self.event)
        self.add("TOOL_CALL_END", key, state=outcome, ref=ref or None, detail=detail)

    def refused(self) -> None:
        self.end_call(self.body, "refused")

    def key(self, event: Event) -> str:
        values = [self.of(name) for name in event.key]
        if any(values):
            return named(self.name, *values)
        content = orjson.dumps(self.body, option=orjson.OPT_SORT_KEYS).decode()
        return named(self.name, content, self.of("timestamp") or self.when.minute)


def named(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


# Of a body that is cut or broken only these are read, at its beginning.
HEAD_BYTES = 4_096
READABLE = ("session_id", "cwd", "prompt_id", "permission_mode", "hook_event_name", "tool_name", "agent_id")
FOUND = re.compile(rf'"({"|".join(READABLE)})"\s*:\s*"([^"\\]*)"')


def parsed(raw: bytes) -> JsonObject:
    """Return the body of a hook; of one that is no JSON what its beginning says."""
    try:
        body = orjson.loads(raw)
    except ValueError:
        body, head = {}, raw[:HEAD_BYTES].decode("utf-8", "replace")
        for name, text in FOUND.findall(head):
            body.setdefault(name, text)
        body["is_cut"] = True
    return body if isinstance(body, dict) else {}


def read_hook(program: Program, body: JsonObject, level: Any, when: When | None = None) -> Hook | None:
    external_id = text_of(body.get("session_id"))[:255].strip()
    if not external_id:
        return None
    name = name_of(body.get("hook_event_name")) or "Unknown event"
    event = program.events.get(name) or OWN_EVENTS.get(name, Event())
    session, folder = _session_of(program, external_id, body), text_of(body.get("cwd"))
    hook = Hook(program, body, Kept(level, folder), name, event, session, when or When.of(), state=event.state)
    if body.get("is_cut"):
        hook.add("ACTIVITY", hook.key(Event()), title=f"{_spaced(name)}: too long to be read")
    elif event.more is not None:
        event.more(hook)
    else:
        plainly(hook)
    if event.ends:
        hook.end_reason = hook.end_reason or "The program was closed."
    return hook


def was_away(hook: Hook) -> None:
    """Nothing could be sent for a while: for how long, what comes later, and what is lost."""
    detail = {name: _count(hook.body.get(name)) for name in ("seconds", "late", "lost")}
    title = gap_title(**detail, keeps_costs=hook.program.keeps_costs)
    key = named(hook.name, hook.when.minute)
    hook.add(GAP, key, title=title, detail=detail)
    if gaps := detail["lost"] if hook.program.keeps_costs else max(1, detail["lost"]):
        key = f"gap:{named(hook.session.external_id, key)}"
        hook.usage.append(TimedUsage(key=key, source="program", gaps=gaps, at=hook.when.at))


def _count(value: object) -> int:
    return min(max(value, 0), 10**9) if isinstance(value, int) else 0


# What our own command tells of every program.
OWN_EVENTS = {"NotReachable": Event(more=was_away)}


def only_sign(hook: Hook) -> None:
    """An event that says that the session lives, and nothing else."""


def _session_of(program: Program, external_id: str, body: JsonObject) -> SessionGiven:
    return SessionGiven(
        external_id=external_id,
        client=program.client,
        cwd_label=last_part(text_of(body.get("cwd")))[:255] or None,
        mode=name_of(body.get("permission_mode"))[:64] or None,
        model=name_of(body.get("model")) or None,
    )


def plainly(hook: Hook) -> None:
    """Keep an event as its row in the table says."""
    event = hook.event
    if event.call not in ("", "begun"):
        hook.end_call(hook.body, event.call)
        return
    detail = _detail_of(hook)
    title = event.title or (_spaced(hook.name) if event.kind == "ACTIVITY" else None)
    if title and "agent" in detail:
        title = f"{title}: {detail['agent']}"
    hook.add(event.kind, hook.key(event), title=title, ref=_ref_of(hook), detail=detail or None)


def _detail_of(hook: Hook) -> JsonObject:
    detail = hook.call if hook.event.call else {}
    if agent := name_of(hook.body.get("agent_type")):
        detail["agent"] = agent
    if hook.event.text and (content := hook.of(hook.event.text)):
        detail["size"] = len(content)
        if text := hook.kept.text(content):
            detail["text"] = text
    return detail


def _ref_of(hook: Hook) -> str | None:
    if hook.event.call:
        return hook.ref
    return hook.of("agent_id")[:255] or None if hook.event.kind.startswith("STEP") else None


def _spaced(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return words[:1] + words[1:].lower()
