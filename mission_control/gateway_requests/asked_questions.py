"""What a gateway says about its questions, in our terms; item ids and answers come in an older and a newer form."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from mission_control.gateway_requests.reading import moment, text
from mission_control.questions.schemas import LONGEST_QUESTION, MOST_OPTIONS, Option, QuestionCreate

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
        """The labels of the options, as the gateway takes them."""
        return [label for label, _ in self.options]

    def as_question(self) -> QuestionCreate:
        """Return it as our agents would ask it; without options where those do not fit."""
        content = f"{self.content}\n\n{SEVERAL}" if self.takes_several and self.options else self.content
        marked = [label for label in self.labels if _shown(label) != label]
        try:
            options = [
                Option(label=_shown(label), outcome=why or None, recommended=[label] == marked)
                for label, why in self.options
            ]
            return QuestionCreate(content=content, options=options, allows_text=self.takes_text or not options)
        except ValidationError:
            return QuestionCreate(content=_with_options(content, self.labels), allows_text=True)

    def values(self, option: str | None, words: str | None) -> list[str]:
        """Return an answer of a person as the gateway takes it: labels of options, or words of one's own."""
        option = next((label for label in self.labels if _shown(label) == option), option)
        if not self.takes_several:
            both = ": ".join(one for one in (option, words) if one)
            return [both]
        by_name = {_shown(label).lower(): label for label in self.labels}
        said = [one.strip() for one in (words or "").split(",") if one.strip()]
        known = [by_name[one.lower()] for one in said if one.lower() in by_name]
        chosen = ([option] if option else []) + (known if len(known) == len(said) else [words or ""])
        return list(dict.fromkeys(chosen))


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

    def external_id(self, part: Part) -> str:
        """Return the id under which one of its questions is kept here."""
        return f"{self.id}#{part.id}"


def read_question(said: Mapping[str, Any]) -> AskedQuestion | None:
    """Return what an event, a list or the gateway's record says; None when there is no id."""
    external_id = text(said.get("id"), LONGEST_ID)
    if not external_id:
        return None
    items = said.get("questions")
    items = [one for one in items if isinstance(one, Mapping)] if isinstance(items, list) else []
    return AskedQuestion(
        id=external_id,
        agent_id=text(said.get("agentId"), LONGEST_ID),
        expires_at=moment(said.get("expiresAtMs")),
        parts=[part for one in items if (part := _part(one)) is not None],
        is_secret=any(one.get("isSecret") is True or isinstance(one.get("secretStore"), Mapping) for one in items),
        status=text(said.get("status"), 16) or "pending",
        answers=read_answers(said.get("answers")),
        resolved_by=text(said.get("resolvedBy"), 200),
    )


def _part(item: Mapping[str, Any]) -> Part | None:
    part_id = text(item.get("questionId") or item.get("id"), LONGEST_ID)
    content = text(item.get("question"), LONGEST_QUESTION - 200) or text(item.get("header"))
    if not part_id or not content:
        return None
    found = item.get("options")
    options = [_option(one) for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
    several = item.get("multiSelect") is True
    return Part(
        id=part_id,
        content=content,
        options=[one for one in options if one[0]],
        takes_several=several,
        takes_text=several or item.get("isOther") is True or not options,
    )


def _shown(label: str) -> str:
    """Return a label without the mark of a recommended option, which is shown beside it."""
    label = label.strip()
    return label[: -len(RECOMMENDED)].rstrip() if label.lower().endswith(RECOMMENDED) else label


def _option(said: Mapping[str, Any]) -> tuple[str, str]:
    return text(said.get("label")), text(said.get("description"), 1_000)


def _with_options(content: str, labels: list[str]) -> str:
    lines = [f"- {label}" for label in labels[: 2 * MOST_OPTIONS]]
    return "\n".join([content, "", *lines])[:LONGEST_QUESTION] if lines else content


def read_answers(said: Any) -> dict[str, list[str]]:
    """Return answers by question, from the envelope `{"answers": {...}}` or without it."""
    if not isinstance(said, Mapping):
        return {}
    inner = said.get("answers")
    found = inner if isinstance(inner, Mapping) else said
    return {str(key): _values(value) for key, value in found.items()}


def _values(said: Any) -> list[str]:
    if isinstance(said, Mapping):
        said = said.get("answers", said.get("values"))
    if isinstance(said, str):
        said = [said]
    return [text(one, 20_000) for one in said if isinstance(one, str)] if isinstance(said, list) else []
