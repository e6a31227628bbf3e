"""No shape stumbles over null, over nothing, or over a text without a letter: it takes them or refuses them."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

import mission_control.server.app  # noqa: F401
from mission_control.core.values import NonEmptyStr, Schema
from mission_control.mcp.registry import PEOPLES_TOOLS, TOOLS

BLANKS: tuple[Any, ...] = (None, "", " ", "\x1f", 0, [], {})


def shapes(above: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    for one in above.__subclasses__():
        if one.__module__.startswith("mission_control."):
            yield one
        yield from shapes(one)


def test_shapes_are_schemas() -> None:
    assert [one for one in shapes() if not issubclass(one, Schema)] == []


@pytest.mark.parametrize("blank", BLANKS, ids=repr)
def test_blank_texts_are_accepted_or_refused(blank: Any) -> None:
    arguments = [one.takes.model for one in (*TOOLS.values(), *PEOPLES_TOOLS.values())]  # made when they are asked for
    for shape in {*shapes(), *arguments}:
        for name, info in shape.model_fields.items():
            with suppress(ValidationError):
                shape.model_validate({info.alias or name: blank})


@pytest.mark.parametrize("text", ["", " ", "\x1f", "\x1c \t\x1d", "\u2003"])
def test_whitespace_only_text_is_empty(text: str) -> None:
    assert text.strip() == ""
    with pytest.raises(ValidationError):
        TypeAdapter(NonEmptyStr).validate_python(text)
