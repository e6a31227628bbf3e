"""Tags: their shapes, and reading them."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.errors import existing
from mission_control.core.values import Body, Change, NonEmptyStr, NotNull, Paging
from mission_control.database.sql import placeholders, rows, select, select_one
from mission_control.http.registry import lookup
from mission_control.tasks.models import Tag


def _color(value: str) -> str:
    text = value.strip().removeprefix("#").lower()
    if not re.fullmatch(r"[0-9a-f]{6}", text):
        raise ValueError("a colour is six hexadecimal digits, such as 9e9e9e")
    return text


Color = Annotated[str, AfterValidator(_color)]


class TagCreate(BaseModel):
    """A tag to be made."""

    name: NonEmptyStr
    slug: str | None = None
    color: Color = "9e9e9e"
    description: str | None = None


class TagUpdate(Change):
    """What to change on a tag; absent leaves, a blank slug is made anew from the name."""

    name: Annotated[NonEmptyStr | None, NotNull] = None
    slug: str | None = None
    color: Annotated[Color | None, NotNull] = None
    description: str | None = None


class TagMerge(Body):
    """The tag that stays when another one is merged into it."""

    into: UUID


class TagRef(BaseModel):
    """A tag on a task."""

    id: UUID
    name: str
    slug: str
    color: str


class TagRead(BaseModel):
    """A tag and how many tasks carry it."""

    name: str
    slug: str
    color: str
    description: str | None
    id: UUID
    organization_id: UUID
    task_count: int
    created_at: datetime
    updated_at: datetime


Tags = dict[str, list[dict[str, Any]]]


SELECT = (
    "SELECT g.id, g.organization_id, g.name, g.slug, g.color, g.description, g.created_at, g.updated_at,"
    " (SELECT COUNT(*) FROM tag_assignments a JOIN tasks t ON t.id = a.task_id JOIN boards b ON b.id = t.board_id"
    "  WHERE a.tag_id = g.id AND t.deleted_at IS NULL AND b.deleted_at IS NULL) AS task_count FROM tags g"
)
AT_ONCE = 5000
BY_NAME = " ORDER BY LOWER(g.name), g.created_at, g.id"
BY_TASKS = " ORDER BY task_count DESC, LOWER(g.name), g.created_at, g.id"
BY_CHANGE = " ORDER BY g.updated_at DESC, g.id"
ON_TASKS = (
    "SELECT a.task_id, g.id, g.name, g.slug, g.color FROM tag_assignments a JOIN tags g ON g.id = a.tag_id"
    " JOIN tasks t ON t.id = a.task_id WHERE {where} ORDER BY a.created_at, a.id"
)


@lookup
async def visible_tag(actor: Actor, tag_id: UUID) -> Tag:
    """Return a tag of the active organization. Otherwise: NotFound."""
    return await existing(Tag.get_or_none(id=tag_id, organization_id=actor.organization_id))


async def list_tags(organization_id: UUID, paging: Paging, order: str = BY_NAME) -> tuple[list[TagRead], int]:
    """Return an organization's tags, and their number; `order` is one of the orders above."""
    [total] = await rows("SELECT COUNT(*) AS n FROM tags WHERE organization_id = ?", organization_id)
    page = f"{SELECT} WHERE g.organization_id = ?{order} LIMIT ? OFFSET ?"
    return await select(TagRead, page, organization_id, paging.limit, paging.offset), int(total["n"])


async def tag_read(tag_id: UUID) -> TagRead:
    return await existing(select_one(TagRead, f"{SELECT} WHERE g.id = ?", tag_id))


async def tags_of_organization(organization_id: UUID) -> list[TagRef]:
    """Return an organization's tags by name, which any of its tasks can carry."""
    sql = f"SELECT g.id, g.name, g.slug, g.color FROM tags g WHERE g.organization_id = ?{BY_NAME}"
    return await select(TagRef, sql, organization_id)


async def tags_offered(board: Board) -> list[TagRef]:
    """Return the tags that pages offer for a board's tasks: the first 100 by name."""
    return (await tags_of_organization(board.organization_id))[:100]


async def tags_of_tasks(task_ids: Sequence[object]) -> Tags:
    """Return the tags of some tasks in their order."""
    tags: Tags = {}
    for start in range(0, len(task_ids), AT_ONCE):
        part = task_ids[start : start + AT_ONCE]
        where = f"a.task_id IN ({placeholders(len(part))})"
        tags |= _grouped(await rows(ON_TASKS.format(where=where), *part))
    return tags


async def tags_of_board(board_id: UUID) -> Tags:
    return _grouped(await rows(ON_TASKS.format(where="t.board_id = ?"), board_id))


def _grouped(found: list[dict[str, object]]) -> Tags:
    tags: Tags = {}
    for row in found:
        tags.setdefault(str(row["task_id"]), []).append({name: row[name] for name in ("id", "name", "slug", "color")})
    return tags
