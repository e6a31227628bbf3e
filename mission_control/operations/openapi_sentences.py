"""Sentences of the OpenAPI document that follow from how an operation is declared."""

import inspect
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from mission_control.core.paging import Page
from mission_control.operations.registry import Operation

WHO = {
    "user": "People.",
    "agent": "Agents; their token needs the scope `{scope}`.",
    "actor": "People and agents; an agent's token needs the scope `{scope}`.",
    "anyone": "Anybody.",
}


def description_of(one: Operation) -> str:
    """Return what the summary does not say, and who may call."""
    more = one.description if one.description != one.summary else ""
    return f"{more} {WHO[one.who].format(scope=one.scope)}".strip()


def said_of(one: Operation) -> str:
    """Return what a good answer is."""
    if one.is_stream:
        return "Events, each with the number from which a stream resumes"
    if one.media != ("application/json",):
        return "The file"
    if get_origin(one.returns) is list:
        return f"All of them, in one array without paging. Each: {_words(get_args(one.returns)[0])}"
    if isinstance(one.returns, type) and issubclass(one.returns, Page):
        return f"A part of the list. Each item: {_words(one.returns.model_fields['items'].annotation)}"
    begun = "The work has begun and goes on after this answer. " if one.status == 202 else ""
    return begun + _words(one.returns)


def _words(shape: Any) -> str:
    """Return the first sentence about a shape."""
    if not (isinstance(shape, type) and issubclass(shape, BaseModel)):
        return _words(get_args(shape)[0]) if get_args(shape) else "A text"
    paragraph = (inspect.getdoc(shape) or shape.__name__).partition("\n\n")[0]
    return " ".join(paragraph.split()).partition(". ")[0].rstrip(".")
