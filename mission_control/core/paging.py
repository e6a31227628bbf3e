"""Pages of a list."""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, Field


class Paging(BaseModel):
    """Which part of a list."""

    limit: int = Field(200, ge=1, le=200)
    offset: int = Field(0, ge=0)


class Page[T](BaseModel):
    """A part of a list, and how long the whole list is."""

    items: list[T]
    total: int
    limit: int
    offset: int


class Wait(BaseModel):
    """How long to wait."""

    wait_seconds: Annotated[int, Field(ge=0, le=50)] = 0


class WaitForNews(Wait):
    """How long to wait for another list than the caller knows."""

    known: Annotated[
        str, Field(max_length=64, description="The `version` that you have; another list is answered at once")
    ] = ""


class NewsPaging(WaitForNews, Paging):
    """Which part of a list, and how long to wait for another one."""


class Versioned[T](Page[T]):
    """A part of a list, with a mark of what is in it."""

    version: Annotated[
        str, Field(description="Another one when something came, went or was settled; send it as `known` to wait")
    ]

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Return the name by which generated clients know such pages."""
        return Page.model_parametrized_name(params)


def version_of(total: int, marks: Iterable[object]) -> str:
    """Return the mark of a list by what tells that one of its things is another."""
    return hashlib.sha256(repr((total, list(marks))).encode()).hexdigest()[:16]


def page(items: list[Any], total: int, paging: Paging) -> dict[str, Any]:
    """Return the answer of a list operation."""
    return {"items": items, "total": total, "limit": paging.limit, "offset": paging.offset}
