"""What an approval says: whether it asks to finish, what its gateway asks, its heading, and its payload on pages."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mission_control.core import times
from mission_control.core.errors import Conflict, ErrorCode, Invalid
from mission_control.core.text.diffs import FileDiff, is_diff, lines_changed, parsed, visible
from mission_control.core.values import parts_of
from mission_control.database.sql import placeholders

FINISH = "task.finish"
# The others are words that clients of the predecessor use for it.
FINISHING = (FINISH, "mark_task_done", "task.complete", "complete_task")

# SQL on `a`, an approval; takes FINISHING as its values.
ASKS_TO_FINISH = f"LOWER(a.action_type) IN ({placeholders(len(FINISHING))})"


def asks_to_finish(action_type: str) -> bool:
    return action_type.strip().lower() in FINISHING


def stated_confidence(confidence: float, payload: object) -> int | None:
    """Return the percentage that the asker stated; None where nobody did.

    Answers of the API have a number in each case. A payload with `confidence: null` says that it means nothing, and so
    does that of an earlier hand-in, which has its `fence`, without one.
    """
    stated = payload if isinstance(payload, Mapping) else {}
    if stated.get("confidence", None if "fence" in stated else 0) is None:
        return None
    return round(float(confidence))


def reason_of(payload: object) -> str:
    """Why it is asked, wherever the payload keeps it."""
    if not isinstance(payload, Mapping):
        return ""
    nested = payload.get("decision")
    places = (payload.get("reason"), nested.get("reason") if isinstance(nested, Mapping) else None)
    return next((text.strip() for text in places if isinstance(text, str) and text.strip()), "")


Answer = Literal["allow-once", "allow-always", "deny", "stop"]

# The types of action by the gateway's kind of approval, with their words.
ACTIONS = {"exec": "gateway.exec", "plugin": "gateway.plugin", "system-agent": "gateway.system_agent"}
WORDS = {
    "gateway.exec": "Run a command",
    "gateway.plugin": "Use a plugin",
    "gateway.system_agent": "Change the gateway",
    "session.exec": "Run a command",
    "session.edit": "Change a file",
    "session.tool": "Use a tool",
}
TITLE_LENGTH = 100
CHANNEL = "gateway-answers"  # notified when an answer waits to be sent


@dataclass(frozen=True, slots=True)
class OutsideRequest:
    """What a gateway or the program of a session asks for, from `payload.gateway_request` or `.session_request`.

    Everything in it is shown as it is: nothing is cut, and what one does not see is written out.
    """

    kind: str
    title: str
    command: str
    details: str
    facts: list[tuple[str, str]]
    warnings: list[str]
    risks: list[str]
    allowed: list[str]
    client: str = ""
    risk: str = ""
    diff: str = ""
    asks_there_too: bool = False
    asks_again: bool = False
    is_held: bool = False

    @property
    def heading(self) -> str:
        """The verb and its object: `Run a command: git push`."""
        if self.kind == "edit":
            return f"Change {_short(self.title)}"
        if self.client and self.kind != "exec":
            return f"Use {_short(self.title)}"
        if self.kind != "exec":
            return _short(self.title) or WORDS.get(ACTIONS.get(self.kind, ""), "Decide about a request")
        return f"Run a command: {_short(self.command)}"

    @property
    def is_of_gateway(self) -> bool:
        return not self.client

    @property
    def risk_words(self) -> str:
        level = f"{self.risk} risk" if self.risk else ""
        return ": ".join(part for part in (level, ", ".join(self.risks)) if part)

    @property
    def asks_to(self) -> str:
        """What its agent asks to do; the command is shown beside it."""
        return "run a command" if self.kind == "exec" else f"{self.heading[:1].lower()}{self.heading[1:]}"

    @property
    def exact(self) -> str:
        """All of what is asked: the command, the diff, or what a tool is given."""
        return "\n".join(part for part in (self.command, self.diff, self.details) if part)

    @property
    def as_text(self) -> str:
        texts = [self.title, self.command, self.diff, self.details, *self.warnings]
        facts = [*self.facts, ("Risk", ", ".join(self.risks))] if self.risks else self.facts
        return "\n".join([*(text for text in texts if text), *(f"{label}: {value}" for label, value in facts)])

    @property
    def is_dangerous(self) -> bool:
        return self.risk == "high" if self.client else bool(self.risks or self.warnings)

    @property
    def allows_always(self) -> bool:
        """Whether the gateway takes a yes for the next times too."""
        return "allow-always" in self.allowed

    @property
    def allows_stop(self) -> bool:
        """Whether a no can end the turn too."""
        return "stop" in self.allowed

    def effects(self, who: str) -> dict[str, str]:
        if self.client:
            return self._effects_in_session(who)
        is_command = self.kind == "exec"
        does = "The command runs once" if is_command else "It happens once"
        refused = "The command does not run" if is_command else "It does not happen"
        always = {"always": "The gateway does not ask again for the same."} if self.allows_always else {}
        return {
            "approve": f"{does}, and {who} continues.",
            **always,
            "send_back": f"{refused}, and {who} gets your note.",
            "reject": f"{refused}.",
            "ignore": f"{refused}; {who} waits until the request expires.",
        }

    def _effects_in_session(self, who: str) -> dict[str, str]:
        always = {"always": "This session does not ask again for exactly this."} if self.allows_always else {}
        stop = {"stop": f"It does not happen, and the turn of {who} ends."} if self.allows_stop else {}
        there = f"{who} waits for an answer." if self.asks_again else ASKED_LATER
        there = "The terminal asks as well; whoever answers first decides." if self.asks_there_too else there
        there = "Without a yes it is refused." if self.is_held else there
        return {
            "approve": f"{who} goes on.",
            **always,
            "reject": f"It does not happen, and {who} reads your note.",
            **stop,
            "ignore": f"{there} Nothing is ever allowed by waiting.",
        }


ASKED_LATER = "The terminal asks its person then."
REQUESTS = ("session_request", "gateway_request")


def request_of(payload: object) -> OutsideRequest | None:
    fields = payload if isinstance(payload, Mapping) else {}
    request = next((value for name in REQUESTS if isinstance(value := fields.get(name), Mapping)), None)
    if request is None:
        return None
    facts = [("In", "cwd"), ("Program", "resolved_path"), ("Host", "host"), ("Plugin", "plugin"), ("Tool", "tool")]
    facts += [("File", "path"), ("Client", "client")]
    diff = fields.get("diff")
    return OutsideRequest(
        kind=_text(request.get("kind")),
        title=_text(request.get("title")),
        command=_text(request.get("command")),
        details=_text(request.get("description")),
        facts=[(label, _text(request.get(name))) for label, name in facts if _text(request.get(name))],
        warnings=_texts(request.get("warnings")),
        risks=[risk.replace("-", " ").replace("_", " ") for risk in _texts(request.get("risk_kinds"))],
        allowed=_texts(request.get("allowed_decisions")),
        client=_text(request.get("client")),
        risk=_text(request.get("risk")),
        diff=_text(diff.get("diff")) if "session_request" in fields and isinstance(diff, Mapping) else "",
        asks_there_too=request.get("asks_there_too") is True,
        is_held=request.get("is_held") is True,
        asks_again=request.get("asks_again") is True,
    )


def _text(value: object) -> str:
    return visible(value) if isinstance(value, str) else ""


def _texts(values: object) -> list[str]:
    return [visible(value) for value in values if isinstance(value, str) and value] if isinstance(values, list) else []


def _short(text: str) -> str:
    line, _, rest = text.strip().partition("\n")
    return line if len(line) <= TITLE_LENGTH and not rest else f"{line[:TITLE_LENGTH].rstrip()} …"


def answer_of(
    payload: object, expires_at: datetime | None, decision: str, *, always: bool, stop: bool = False
) -> Answer:
    """Raise Invalid for an answer that who asks does not take, Conflict when it expired."""
    request = request_of(payload)
    if expires_at is not None and expires_at <= times.clock_now():
        why = "This request has expired: its program asks at its keyboard." if request and request.client else None
        raise Conflict(ErrorCode.APPROVAL_EXPIRED.detail(why) if why else ErrorCode.APPROVAL_EXPIRED.detail())
    if stop and (request is None or not request.allows_stop):
        raise Invalid("An answer does not end the turn of what asks here.")
    if decision != "approved":
        return "stop" if stop else "deny"
    if not always:
        return "allow-once"
    if request is None or not request.allows_always:
        who = "program" if request and request.client else "gateway"
        raise Invalid(f"The {who} takes a yes for this one time only.")
    return "allow-always"


# Verbs that stand last in a type of action (`data.delete`), and first in a heading ("Delete data").
VERBS = {
    "archive", "buy", "cancel", "close", "create", "delete", "deploy", "install", "merge", "move", "order", "pay",
    "publish", "release", "remove", "rename", "restart", "send", "start", "stop", "update",
}  # fmt: skip


def action_words(action_type: str) -> str:
    """`data.delete` or `send_email` as people write it: `Delete data`, `Send email`."""
    if asks_to_finish(action_type):
        return "Finish"
    if action_type in WORDS:
        return WORDS[action_type]
    words = re.sub(r"[._\-/]+", " ", action_type).split()
    if len(words) > 1 and words[-1].lower() in VERBS and words[0].lower() not in VERBS:
        words = [words[-1].lower(), *words[:-1]]
    text = " ".join(words)
    return text[:1].upper() + text[1:] or "Decision"


def heading(action_type: str, tasks: Sequence[tuple[int, str]]) -> str:
    """The action and the tasks it is about, given as number and title: `Finish #20 Cache the catalogue pages`."""
    words = action_words(action_type)
    if not tasks:
        return "Finish a task" if asks_to_finish(action_type) else words
    [(number, title), *more] = tasks
    numbers = ", ".join(f"#{one}" for one, _ in tasks)
    about = numbers if more else f"#{number} {title}"
    return f"{words} {about}" if " " not in words else f"{words} for {about}"


MOST_LINES = 400
LONGEST_TEXT = 4_000
MOST_FACTS = 12
DIFFS = ("diff", "patch", "diffs", "patches", "changes")
# What the page shows elsewhere, or what only programs need.
SHOWN_ELSEWHERE = {
    "reason", "evidence", "confidence", "fence", "decision", "gateway_request", "session_request", "analytics",
    "rubric_scores", "task_id", "task_ids", "taskId", "taskIds", "taskIDs", *DIFFS,
}  # fmt: skip
# What a link is, by a part of its address.
LINKS = (
    (r"/pull/\d+|/merge_requests/\d+|/pulls/\d+", "Pull request"),
    (r"/commit/[0-9a-f]{7,}", "Commit"),
    (r"/(issues|browse)/", "Issue"),
    (r"/actions/runs/|/pipelines/|/jobs/\d+|/builds?/", "Checks"),
    (r"\.(png|jpe?g|gif|webp|svg)$", "Picture"),
    (r"\.(mp4|webm|mov)$", "Video"),
    (r"\.(pdf|docx?|odt|md|txt)$", "Document"),
    (r"\.(csv|xlsx?|json|ya?ml)$", "Data"),
    (r"\.(log)$|/logs?/", "Log"),
)


@dataclass(frozen=True, slots=True)
class Link:
    name: str
    url: str
    what: str
    host: str


@dataclass(frozen=True, slots=True)
class Shown:
    diffs: list[FileDiff]
    texts: list[tuple[str, str]]
    facts: list[tuple[str, str]]

    @property
    def diff_stat(self) -> str:
        """How much the diffs change: `6 files +31 -18`; empty without any."""
        if not self.diffs:
            return ""
        added, removed = sum(diff.added for diff in self.diffs), sum(diff.removed for diff in self.diffs)
        return lines_changed(len(self.diffs), added, removed)


def shown(payload: object) -> Shown:
    if not isinstance(payload, Mapping):
        return Shown([], [], [])
    texts, facts = [], []
    for name, value in payload.items():
        if name in SHOWN_ELSEWHERE or value in (None, "", [], {}):
            continue
        if isinstance(value, str) and ("\n" in value.strip() or len(value) > 80):
            texts.append((label(name), value[:LONGEST_TEXT]))
        elif (fact := _fact(value)) is not None:
            facts.append((label(name), fact))
    return Shown(list(_diffs(payload)), texts, facts[:MOST_FACTS])


def in_full(payload: object) -> str:
    """Write it out for those who see no page; what a program asks has its own text."""
    if not isinstance(payload, Mapping) or request_of(payload) is not None:
        return ""
    lines = []
    for name, value in payload.items():
        if value not in (None, "", [], {}) and (name in DIFFS or name not in SHOWN_ELSEWHERE):
            text = value if isinstance(value, str) else _fact(value) or json.dumps(value, ensure_ascii=False)
            lines.append(f"{label(name)}: {text}")
    return "\n".join(lines)


def label(name: str) -> str:
    words = re.sub(r"[._\-/]+|(?<=[a-z])(?=[A-Z])", " ", str(name)).strip().lower()
    return words[:1].upper() + words[1:]


def _fact(value: object) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value) and len(value) <= 20:
        return ", ".join(map(str, value))
    return None


def _diffs(payload: Mapping[str, object]) -> Iterator[FileDiff]:
    left = MOST_LINES
    for name in DIFFS:
        for path, text in _texts_of(payload.get(name)):
            for diff in parsed(text, path, left):
                left = max(0, left - len(diff.lines))
                yield diff


def _texts_of(value: object) -> Iterator[tuple[str, str]]:
    """Yield the diffs of a field, each with its path where that is beside it."""
    if isinstance(value, list):
        for item in value[:50]:
            yield from _texts_of(item)
        return
    if not isinstance(value, Mapping):
        texts = {"": value}
    elif (text := next((value[key] for key in ("diff", "patch") if isinstance(value.get(key), str)), None)) is not None:
        texts = {str(value.get("path") or value.get("file") or value.get("filename") or ""): text}
    else:
        texts = {str(path): text for path, text in value.items()}
    yield from ((path, text) for path, text in texts.items() if isinstance(text, str) and is_diff(text))


def links(payload: object) -> list[Link]:
    evidence = payload.get("evidence") if isinstance(payload, Mapping) else None
    made = []
    for item in evidence if isinstance(evidence, list) else []:
        title, url = (item.get("title"), item.get("url")) if isinstance(item, Mapping) else (None, item)
        if isinstance(url, str) and re.match("https?://", url):
            host = (parts_of(url).hostname or "").removeprefix("www.")
            made.append(Link(str(title or url), url, what_is(url), host))
    return made


def what_is(url: str) -> str:
    path = parts_of(url).path
    return next((word for pattern, word in LINKS if re.search(pattern, path, re.IGNORECASE)), "Page")


def as_json(payload: object) -> str:
    return json.dumps(payload, indent=2, ensure_ascii=False) if payload else ""
