"""Read tags, and who may."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, model_validator

from mission_control.boards.models import Board
from mission_control.core.actor import Actor, Rules
from mission_control.core.errors import NotFound
from mission_control.core.values import Body, NonEmptyStr, NotNull, Paging
from mission_control.database.sql import placeholders, rows, wire_moment
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


class TagUpdate(BaseModel):
    """What to change on a tag; absent leaves, a blank slug is made anew from the name."""

    name: Annotated[NonEmptyStr | None, NotNull] = None
    slug: str | None = None
    color: Annotated[Color | None, NotNull] = None
    description: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("send at least one field to change")
        return self


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


async def visible_tag(actor: Actor, tag_id: UUID) -> Tag:
    """Return a tag of the active organization. Otherwise: NotFound."""
    tag = await Tag.get_or_none(id=tag_id, organization_id=actor.organization_id)
    if tag is None:
        raise NotFound()
    return tag


async def list_tags(organization_id: UUID, paging: Paging, order: str = BY_NAME) -> tuple[list[dict[str, object]], int]:
    """Return an organization's tags, and their number; `order` is one of the orders above."""
    [total] = await rows("SELECT COUNT(*) AS n FROM tags WHERE organization_id = ?", organization_id)
    found = await rows(
        f"{SELECT} WHERE g.organization_id = ?{order} LIMIT ? OFFSET ?",
        organization_id,
        paging.limit,
        paging.offset,
    )
    return [_serialize(row) for row in found], int(total["n"])


async def tag_read(tag_id: UUID) -> dict[str, object]:
    found = await rows(f"{SELECT} WHERE g.id = ?", tag_id)
    if not found:
        raise NotFound()
    return _serialize(found[0])


def _serialize(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row["name"],
        "slug": row["slug"],
        "color": row["color"],
        "description": row["description"],
        "id": row["id"],
        "organization_id": row["organization_id"],
        "task_count": int(row["task_count"]),
        "created_at": wire_moment(row["created_at"]),
        "updated_at": wire_moment(row["updated_at"]),
    }


async def tag_choices(organization_id: UUID) -> list[dict[str, object]]:
    """Return an organization's tags by name, to choose from."""
    found = await rows(f"SELECT g.id, g.name FROM tags g WHERE g.organization_id = ?{BY_NAME}", organization_id)
    return [{"id": UUID(str(row["id"])), "name": row["name"]} for row in found]


async def tags_for(board: Board) -> list[dict[str, object]]:
    """Return the tags available to a board's tasks, by name."""
    return await rows(
        f"SELECT g.id, g.name, g.slug, g.color FROM tags g WHERE g.organization_id = ?{BY_NAME}",
        board.organization_id,
    )


async def tags_offered(board: Board) -> list[dict[str, Any]]:
    """Return the tags that pages offer for a board's tasks: the first 100 by name."""
    return (await tags_for(board))[:100]


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


rules = Rules()


@rules.rule("tag.create")
def may_create_tag(actor: Actor, thing: object) -> bool:
    """Allow owners and admins of the active organization."""
    return actor.is_user and actor.administers(actor.organization_id)


@rules.rule("tag.update")
@rules.rule("tag.delete")
def may_change_tag(actor: Actor, tag: Tag) -> bool:
    """Allow owners and admins of the tag's organization."""
    return actor.is_user and actor.administers(tag.organization_id)
