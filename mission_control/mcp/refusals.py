"""Errors in words that a model can act on."""

import logging
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from tortoise.exceptions import DoesNotExist

from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import DomainError, NotFound
from mission_control.core.nearest import sibling_names, unknown_name
from mission_control.core.request_facts import current_request_id
from mission_control.database.outages import outage

_log = logging.getLogger(__name__)


def refusal(error: Exception, known: Mapping[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
    """An error as a sentence for models, and as values for programs: status, code, message, request_id, and more.

    `known` is the schema of the arguments, for a name that is none of them.
    """
    if isinstance(error, DoesNotExist):
        error = NotFound()
    if isinstance(error, ValidationError):
        return _refusal(422, ErrorCode.ARGUMENTS_INVALID, _sentence(_nearest(error, known or {}), 0))
    if isinstance(error, DomainError):
        detail = error.detail if isinstance(error.detail, dict) else {}
        text = _sentence(error.detail, 1) if isinstance(error.detail, list) else _words(error)
        return _refusal(error.status, str(detail.get("code") or ErrorCode.of_status(error.status)), text, detail)
    if sentence := outage(error):
        return _refusal(503, ErrorCode.DATABASE_UNAVAILABLE, f"{sentence} Try again in a few seconds.")
    _log.exception("unhandled_exception", exc_info=error)
    return _refusal(
        500, ErrorCode.INTERNAL_ERROR, f"Something went wrong here (request {current_request_id()}). Tell a person."
    )


def _nearest(error: ValidationError, known: Mapping[str, Any]) -> list[Any]:
    problems: list[Any] = error.errors(include_url=False)
    for one in problems:
        if one["type"] == "extra_forbidden":
            one["msg"] = unknown_name(one["loc"][-1], sibling_names(known, one["loc"]))
    return problems


def _words(error: DomainError) -> str:
    """What the error says, or what its status means when it says nothing else."""
    return ErrorCode.of_status(error.status).sentence if error.is_bare else error.sentence


def _refusal(status: int, code: str, message: str, more: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
    values = {**(more or {}), "status": status, "code": code, "message": message, "request_id": current_request_id()}
    return f"Refused ({status} {code}): {message}", values


def _sentence(problems: list[Any], begin: int) -> str:
    """Schema errors as one sentence, each with the argument that it is about."""
    return "; ".join(f"{'.'.join(map(str, one['loc'][begin:])) or 'arguments'}: {one['msg']}" for one in problems)
