"""What a tool answers: the fields that models need, cut to what they can read; or a refusal that they can act on."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from tortoise.exceptions import DoesNotExist

from mission_control.core.errors import DomainError, ErrorCode, NotFound
from mission_control.core.request_facts import current_request_id
from mission_control.core.values import NO_ID, JsonObject, sibling_names, unknown_name, wanted_id
from mission_control.database.outages import outage

LONGEST_TEXT = 100_000  # characters
MOST_CHARACTERS = 400_000  # of all texts of an answer together
SHORT = 1_000
CUT = " … [cut: {} more characters; the HTTP API has them]"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Image:
    media_type: str
    content: bytes


class Shape:
    """The fields of an operation's answer that a tool shows. A part of it has a shape or a function of its own."""

    def __init__(self, names: str, **parts: "Shape | Callable[[Any], Any]") -> None:
        self.names = names.split()
        self.parts = parts

    def __call__(self, value: object) -> Any:
        if value is None:
            return None
        if isinstance(value, list | tuple):
            return [self(one) for one in value]
        shown = {name: _part(value, name) for name in self.names}
        return shown | {name: show(_part(value, name)) for name, show in self.parts.items()}


def _part(value: object, name: str) -> Any:
    return value[name] if isinstance(value, Mapping) else getattr(value, name)


def fitted(answer: object) -> Any:
    return _Budget().fit(answer)


class _Budget:
    """What is left for the texts of one answer. Short texts are never cut."""

    def __init__(self) -> None:
        self._left = MOST_CHARACTERS

    def fit(self, value: object) -> Any:
        if isinstance(value, dict):
            return {name: self.fit(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.fit(one) for one in value]
        if not isinstance(value, str) or len(value) <= SHORT:
            return value
        most = max(SHORT, min(LONGEST_TEXT, self._left))
        self._left -= min(len(value), most)
        return value if len(value) <= most else value[:most] + CUT.format(len(value) - most)


def refusal(error: Exception, known: JsonObject | None = None) -> tuple[str, JsonObject]:
    """An error as a sentence for models, and as values for programs: status, code, message, request_id, and more.

    `known` is the schema of the arguments, for a name that is none of them.
    """
    if isinstance(error, DoesNotExist):
        error = NotFound()
    if isinstance(error, ValidationError):
        return _refusal(422, ErrorCode.ARGUMENTS_INVALID, _sentence(_problems(error, known or {}), 0))
    if isinstance(error, DomainError):
        usual = ErrorCode.of_status(error.status)
        text = usual.sentence if error.is_bare else error.sentence
        if isinstance(error.detail, list):
            text = _sentence(error.detail, 1)
        more = error.detail if isinstance(error.detail, dict) else None
        return _refusal(error.status, str(error.code or usual), text, more)
    if sentence := outage(error):
        return _refusal(503, ErrorCode.DATABASE_UNAVAILABLE, f"{sentence} Try again in a few seconds.")
    _log.exception("unhandled_exception", exc_info=error)
    return _refusal(
        500, ErrorCode.INTERNAL_ERROR, f"Something went wrong here (request {current_request_id()}). Tell a person."
    )


def _problems(error: ValidationError, known: JsonObject) -> list[Any]:
    problems: list[Any] = error.errors(include_url=False)
    for problem in problems:
        if problem["type"] == "extra_forbidden":
            problem["msg"] = unknown_name(problem["loc"][-1], sibling_names(known, problem["loc"]))
        elif problem["type"] in NO_ID:
            problem["msg"] = wanted_id(problem["loc"], takes_numbers=True)
    return problems


def _refusal(status: int, code: str, message: str, more: JsonObject | None = None) -> tuple[str, JsonObject]:
    values = {**(more or {}), "status": status, "code": code, "message": message, "request_id": current_request_id()}
    return f"Refused ({status} {code}): {message}", values


def _sentence(problems: list[Any], begin: int) -> str:
    """Schema errors as one sentence, each with the argument that it is about."""
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'][begin:])) or 'arguments'}: {problem['msg']}" for problem in problems
    )
