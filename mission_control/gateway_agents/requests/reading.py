"""What a gateway says about its approvals and questions, in our terms; answers come in an older and a newer form."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import ValidationError

from mission_control.approvals.payloads import ACTIONS
from mission_control.core.values import JsonObject
from mission_control.gateways.protocol.payload import Payload
from mission_control.questions.schemas import LONGEST_QUESTION, MOST_OPTIONS, Option, QuestionCreate

LONGEST = 20_000
LONGEST_FACT = 2_000
ALL_DECISIONS = ["allow-once", "allow-always", "deny"]
# Tokens of this installation, which agents write into their commands.
TOKEN = re.compile(r"\bmc([au])_[A-Za-z0-9_-]{8,}")
FAREST = 253_402_300_799_000  # milliseconds: the last second that a moment can hold


@dataclass(frozen=True, slots=True)
class AskedApproval:
    external_id: str
    expires_at: datetime | None
    kind: str
    agent_id: str
    payload: JsonObject

    @property
    def action_type(self) -> str:
        return ACTIONS[self.kind]

    def payload_of(self, name: str) -> JsonObject:
        what = "run a command" if self.kind == "exec" else "do something that its gateway asks about"
        return {"reason": f"{name} wants to {what}.", **self.payload}


@dataclass(frozen=True, slots=True)
class Ended:
    """How an approval ended on its gateway: `allowed`, `denied`, `expired`, `cancelled` or `gone`; who decided."""

    status: str
    answer: str = ""
    by: str = ""

    @property
    def decision(self) -> str:
        return "approved" if self.status == "allowed" else "rejected"

    def agrees_with(self, decision: str) -> bool:
        """Return whether it ended as we answered, so that nobody was faster with another answer."""
        return self.status in ("allowed", "denied") and (decision == "approved") == (self.status == "allowed")

    @property
    def how(self) -> str:
        """What happened, as a past participle."""
        return {"allowed": "approved", "denied": "rejected", "gone": "ended"}.get(self.status, self.status)

    @property
    def note(self) -> str:
        return {
            "expired": "Nobody decided before it expired.",
            "cancelled": "The gateway cancelled it: the run ended.",
            "gone": "The gateway does not ask for it any more.",
        }.get(self.status, "Decided on the gateway.")

    def note_after(self, is_late: bool) -> str:
        if not is_late:
            return self.note
        if self.status in ("allowed", "denied"):
            return "It was decided on the gateway before our answer arrived."
        return f"Our answer came too late. {self.note}"


def settled_by(name: str) -> str:
    return f"{name} on the gateway" if name else "The gateway"


def read_approval(kind: str, value: object) -> AskedApproval | None:
    asked = Payload.of(value)
    external_id, request = text(asked.get("id"), LONGEST_ID), asked.inner("request")
    if not external_id or kind not in ACTIONS or not isinstance(asked.get("request"), dict):
        return None
    return AskedApproval(
        external_id=external_id,
        kind=kind,
        agent_id=text(request.get("agentId"), LONGEST_ID),
        expires_at=moment(asked.get("expiresAtMs")),
        payload={"confidence": None, "gateway_request": _facts(kind, request)},
    )


FACTS = {
    "severity": "severity", "cwd": "cwd", "host": "host", "resolved_path": "resolvedPath", "plugin": "pluginId",
    "tool": "toolName", "session_key": "sessionKey", "run_id": "runId",
}  # fmt: skip


def _facts(kind: str, request: Payload) -> JsonObject:
    analysis = request.inner("commandAnalysis")
    warnings = [text(request.get("warningText")), *texts(analysis.get("warningLines"))]
    facts = {
        "command": text(request.get("command") or request.get("commandText"), LONGEST),
        "title": text(request.get("title")),
        "description": text(request.get("description") or request.get("detail"), LONGEST),
        **{name: text(request.get(theirs)) for name, theirs in FACTS.items()},
    }
    return {
        "kind": kind,
        **{name: value for name, value in facts.items() if value},
        "risk_kinds": texts(analysis.get("riskKinds")),
        "warnings": list(dict.fromkeys(filter(None, warnings))),
        "allowed_decisions": _allowed(kind, request),
    }


def _allowed(kind: str, request: Payload) -> list[str]:
    """An answer that the gateway does not take would count as a refusal there."""
    if stated := texts(request.get("allowedDecisions")):
        return stated
    if kind == "system-agent":
        return ["allow-once", "deny"]
    return [decision for decision in ALL_DECISIONS if decision not in texts(request.get("unavailableDecisions"))]


def read_end(answer: object) -> Ended | None:
    snapshot = Payload.of(answer)
    approval = snapshot.inner("approval") if "approval" in snapshot else snapshot
    status = text(approval.get("status"))
    if status not in ("allowed", "denied", "expired", "cancelled"):
        return None
    resolver = approval.inner("resolver")
    kind, who = text(resolver.get("kind")), text(resolver.get("id"))
    by = "" if kind == "system" else f"{kind} {who[:12] if kind == 'device' else who}".strip()
    return Ended(status, text(approval.get("decision"), 16), by)


def read_resolved(event: Payload) -> Ended:
    """Read the event alone, for gateways that keep no record."""
    answer, by = text(event.get("decision"), 16), text(event.get("resolvedBy"))
    if answer == "deny" and not by:
        return Ended("expired")
    return Ended("denied" if answer == "deny" else "allowed", answer, by)


def text(value: object, longest: int = LONGEST_FACT) -> str:
    if not isinstance(value, str):
        return ""
    clean = value.replace("\0", "").encode("utf-8", "replace").decode()
    clean = TOKEN.sub(r"mc\1_…", clean)
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def texts(values: object) -> list[str]:
    return list(filter(None, map(text, values[:50]))) if isinstance(values, list) else []


def moment(milliseconds: object) -> datetime | None:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    if not 0 < milliseconds < FAREST:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None)


SEVERAL = "You may choose several: write them, separated by commas."
RECOMMENDED = "(recommended)"
LONGEST_ID = 512


@dataclass(frozen=True, slots=True)
class Part:
    """One question of a gateway's request; `id` is the key of its answer."""

    id: str
    content: str
    options: list[tuple[str, str]]
    takes_several: bool
    takes_text: bool

    @property
    def labels(self) -> list[str]:
        return [label for label, _ in self.options]

    def as_question(self) -> QuestionCreate:
        content = f"{self.content}\n\n{SEVERAL}" if self.takes_several and self.options else self.content
        marked = [label for label in self.labels if _plain(label) != label]
        try:
            options = [
                Option(label=_plain(label), outcome=why or None, recommended=[label] == marked)
                for label, why in self.options
            ]
            return QuestionCreate(content=content, options=options, allows_text=self.takes_text or not options)
        except ValidationError:
            return QuestionCreate(content=_with_options(content, self.labels), allows_text=True)

    def values(self, option: str | None, words: str | None) -> list[str]:
        option = next((label for label in self.labels if _plain(label) == option), option)
        if not self.takes_several:
            return [": ".join(filter(None, (option, words)))]
        labels = self._labels_in(words or "")
        return list(dict.fromkeys([option, *labels] if option else labels))

    def _labels_in(self, words: str) -> list[str]:
        by_name = {_plain(label).lower(): label for label in self.labels}
        names = [name.strip().lower() for name in words.split(",") if name.strip()]
        return [by_name[name] for name in names] if by_name.keys() >= set(names) else [words]


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A request of a gateway with one to three questions, as it is kept there."""

    id: str
    agent_id: str
    expires_at: datetime | None
    parts: list[Part]
    is_secret: bool
    status: str
    answers: dict[str, list[str]]
    resolved_by: str

    @property
    def how(self) -> str:
        """What happened, as a past participle."""
        return self.status if self.status in ("answered", "cancelled", "expired") else "ended"

    def answer_to(self, external_id: str | None) -> str:
        return ", ".join(self.answers.get(str(external_id).partition("#")[2], [])) or "(no text)"

    def external_id(self, part: Part) -> str:
        return f"{self.id}#{part.id}"


def read_question(value: object) -> AskedQuestion | None:
    asked = Payload.of(value)
    external_id = text(asked.get("id"), LONGEST_ID)
    if not external_id:
        return None
    items = asked.objects("questions")
    return AskedQuestion(
        id=external_id,
        agent_id=text(asked.get("agentId"), LONGEST_ID),
        expires_at=moment(asked.get("expiresAtMs")),
        parts=[part for item in items if (part := _part(item)) is not None],
        is_secret=any(item.get("isSecret") is True or isinstance(item.get("secretStore"), dict) for item in items),
        status=text(asked.get("status"), 16) or "pending",
        answers=read_answers(asked.get("answers")),
        resolved_by=text(asked.get("resolvedBy"), 200),
    )


def _part(item: Payload) -> Part | None:
    part_id = text(item.get("questionId") or item.get("id"), LONGEST_ID)
    content = text(item.get("question"), LONGEST_QUESTION - 200) or text(item.get("header"))
    if not part_id or not content:
        return None
    choices = item.objects("options")
    options = [(text(choice.get("label")), text(choice.get("description"), 1_000)) for choice in choices]
    several = item.get("multiSelect") is True
    return Part(
        id=part_id,
        content=content,
        options=[option for option in options if option[0]],
        takes_several=several,
        takes_text=several or item.get("isOther") is True or not options,
    )


def _with_options(content: str, labels: list[str]) -> str:
    lines = [f"- {label}" for label in labels[: 2 * MOST_OPTIONS]]
    return "\n".join([content, "", *lines])[:LONGEST_QUESTION] if lines else content


def _plain(label: str) -> str:
    label = label.strip()
    return label[: -len(RECOMMENDED)].rstrip() if label.lower().endswith(RECOMMENDED) else label


def read_answers(value: object) -> dict[str, list[str]]:
    """By question, from the envelope `{"answers": {...}}` or without it."""
    envelope = Payload.of(value)
    answers = envelope.inner("answers") if isinstance(envelope.get("answers"), dict) else envelope
    return {str(key): _answer_texts(answer) for key, answer in answers.items()}


def _answer_texts(answer: object) -> list[str]:
    if isinstance(answer, dict):
        answer = answer.get("answers", answer.get("values"))
    values = [answer] if isinstance(answer, str) else answer if isinstance(answer, list) else []
    return [text(value, LONGEST) for value in values if isinstance(value, str)]
