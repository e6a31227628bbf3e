"""Errors as values of the domain, and their one translation into HTTP."""

import json
from http import HTTPStatus
from typing import Any

LONGEST_INPUT = 200  # characters of what was sent that an error repeats


class DomainError(Exception):
    """Something the caller asked for cannot be done; `detail` is what the answer carries."""

    status = 422

    def __init__(self, detail: str | dict[str, Any] | list[Any] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail if detail is not None else HTTPStatus(self.status).phrase
        self.headers: dict[str, str] = {}

    @property
    def is_bare(self) -> bool:
        """Return whether it says only what its status says."""
        return self.detail == HTTPStatus(self.status).phrase

    @property
    def sentence(self) -> str:
        if isinstance(self.detail, dict):
            return str(self.detail.get("message", HTTPStatus(self.status).phrase))
        if isinstance(self.detail, list):
            return "; ".join(str(item.get("msg", "")) for item in self.detail)
        return self.detail


class Refused(DomainError):
    """A value names something that this program does not deal with."""

    status = 400


class Unauthenticated(DomainError):
    """Nobody is known by the credentials sent, or none were sent."""

    status = 401


class Forbidden(DomainError):
    """The thing is visible, the change is not allowed."""

    status = 403


class NotFound(DomainError):
    """The thing does not exist for this caller."""

    status = 404


class Conflict(DomainError):
    """The thing is not in a state for this."""

    status = 409


class Gone(DomainError):
    """The thing existed and does no more."""

    status = 410


class TooLarge(DomainError):
    """More was sent, or would have to be sent, than is allowed."""

    status = 413


class Invalid(DomainError):
    """A value does not fit; a list stands for schema errors, a string or object for business rules."""

    status = 422


class TooMany(DomainError):
    """A limit was met."""

    status = 429

    def __init__(self, retry_after: int, detail: str | dict[str, object] | None = None) -> None:
        super().__init__(detail)
        self.headers["Retry-After"] = str(max(1, retry_after))


class Unreachable(DomainError):
    """An external service did not give a usable answer."""

    status = 502


def schema_error(
    kind: str, loc: list[str | int], msg: str, value: object = None, **context: object
) -> dict[str, object]:
    item: dict[str, Any] = {"type": kind, "loc": loc, "msg": msg, "input": shortened(value)}
    if context:
        item["ctx"] = {name: shortened(one) for name, one in context.items()}
    return item


def shortened(value: object) -> Any:
    """Return a value as an error repeats it: long texts are cut, other long values become the start of their JSON."""
    if isinstance(value, str):
        return value[:LONGEST_INPUT]
    text = ""
    for piece in json.JSONEncoder(default=repr).iterencode(value):  # in small pieces, so that little of it is written
        text += piece[:LONGEST_INPUT]
        if len(text) > LONGEST_INPUT:
            return text[:LONGEST_INPUT]
    return value


def invalid_field(field: str, sentence: str, value: object = None) -> Invalid:
    """Return the error of a business rule about one field, in the shape of schema errors."""
    return Invalid([schema_error("value_error", ["body", field], f"Value error, {sentence}", value, error=sentence)])
