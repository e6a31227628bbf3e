"""Pages of a list."""

from typing import Any

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


def page(items: list[Any], total: int, paging: Paging) -> dict[str, Any]:
    """Return the answer of a list operation."""
    return {"items": items, "total": total, "limit": paging.limit, "offset": paging.offset}
