"""Tags: their shapes, reading them, and commands on them."""

import itertools
import re
from collections.abc import Collection, Container, Sequence
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid, NotFound, existing
from mission_control.core.values import Body, Change, NonEmptyStr, NotNull, Paging, Schema
from mission_control.database.sql import Row, held, placeholders, rows, select, select_one
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record
from mission_control.http.registry import lookup
from mission_control.tasks.models import Tag, TagAssignment


def _color(value: str) -> str:
    text = value.strip().removeprefix("#").lower()
    if not re.fullmatch(r"[0-9a-f]{6}", text):
        raise ValueError("a colour is six hexadecimal digits, such as 9e9e9e")
    return text


Color = Annotated[str, AfterValidator(_color)]


class TagCreate(Schema):
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


class TagRef(Schema):
    """A tag on a task."""

    id: UUID
    name: str
    slug: str
    color: str


class TagRead(Schema):
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


Tags = dict[str, list[Row]]


_GONE = ("t.deleted_at IS NOT NULL", "t.deleted_at IS NULL AND b.deleted_at IS NOT NULL")
_WITH_TAGS = (
    "SELECT a.tag_id FROM boards b CROSS JOIN tasks t CROSS JOIN tag_assignments a"
    " WHERE b.organization_id = {{organization}} AND t.board_id = b.id AND a.task_id = t.id AND {}"
)
SELECT = (
    "SELECT g.id, g.organization_id, g.name, g.slug, g.color, g.description, g.created_at, g.updated_at,"
    " (SELECT COUNT(*) FROM tag_assignments a WHERE a.tag_id = g.id) - COALESCE(gone.n, 0) AS task_count FROM tags g"
    # An index counts all tasks with a tag; what is in the trash, which is less, is taken off.
    f" LEFT JOIN (SELECT tag_id, COUNT(*) AS n FROM ({' UNION ALL '.join(map(_WITH_TAGS.format, _GONE))}) every"
    "  GROUP BY tag_id) gone ON gone.tag_id = g.id"
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
    return await existing(Tag.get_or_none(id=tag_id, organization_id=actor.organization_id))


async def list_tags(organization_id: UUID, paging: Paging, order: str = BY_NAME) -> tuple[list[TagRead], int]:
    [total] = await rows("SELECT COUNT(*) AS n FROM tags WHERE organization_id = ?", organization_id)
    page = f"{SELECT.format(organization='?')} WHERE g.organization_id = ?{order} LIMIT ? OFFSET ?"
    values = [*[organization_id] * (len(_GONE) + 1), paging.limit, paging.offset]
    return await select(TagRead, page, *values), int(total["n"])


async def tag_read(tag_id: UUID) -> TagRead:
    here = SELECT.format(organization="(SELECT o.organization_id FROM tags o WHERE o.id = ?)")
    return await existing(select_one(TagRead, f"{here} WHERE g.id = ?", *[tag_id] * (len(_GONE) + 1)))


async def tags_of_organization(organization_id: UUID) -> list[TagRef]:
    sql = f"SELECT g.id, g.name, g.slug, g.color FROM tags g WHERE g.organization_id = ?{BY_NAME}"
    return await select(TagRef, sql, organization_id)


async def tags_offered(board: Board) -> list[TagRef]:
    """The first 100 by name."""
    return (await tags_of_organization(board.organization_id))[:100]


async def tags_of_tasks(task_ids: Sequence[object]) -> Tags:
    tags: Tags = {}
    for start in range(0, len(task_ids), AT_ONCE):
        part = task_ids[start : start + AT_ONCE]
        where = f"a.task_id IN ({placeholders(len(part))})"
        tags |= _grouped(await rows(ON_TASKS.format(where=where), *part))
    return tags


def _grouped(assigned: list[Row]) -> Tags:
    tags: Tags = {}
    for row in assigned:
        tags.setdefault(str(row["task_id"]), []).append({name: row[name] for name in ("id", "name", "slug", "color")})
    return tags


EVENTS = (
    Kind.named("tag.created", "A tag was created.", "made the tag"),
    Kind.named("tag.updated", "A tag's name, slug, colour or description changed.", "changed the tag"),
    Kind.named("tag.merged", "A tag was merged into another one, which its tasks have now.", "merged the tag"),
    Kind.named("tag.deleted", "A tag was deleted and taken off every task.", "deleted the tag"),
)

SLUG_LENGTH = 255
NAMELESS = "tag"


def slug_from(text: str) -> str:
    """Join lower-case letters and digits by hyphens; empty if nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:SLUG_LENGTH].rstrip("-")


def is_nameless(slug: str) -> bool:
    """`tag`, `tag-2`, ..."""
    return re.fullmatch(rf"{NAMELESS}(-[1-9][0-9]*)?", slug) is not None


async def _save(tag: Tag, fields: list[str] | None, *, is_nameless: bool) -> None:
    """Store a tag, or some of its fields. A taken slug, or the name of a nameless tag: Conflict."""
    if not is_nameless:
        await _save_unique(tag, fields)
    elif await save_nameless(tag, fields) is not tag:
        raise Conflict(f"The organization has a tag with the name {tag.name} already.")


async def _save_unique(tag: Tag, fields: list[str] | None) -> None:
    try:
        async with in_transaction():
            await tag.save(update_fields=fields, force_create=fields is None)
    except IntegrityError:
        raise Conflict(f"The organization has a tag with the slug {tag.slug} already.") from None


async def save_nameless(tag: Tag, fields: list[str] | None = None, *, excluding: Collection[UUID] = ()) -> Tag:
    """Store a tag under its slug, or under the first free nameless one if that is taken.

    An existing tag with a nameless slug and the same name is returned instead, unless it is in `excluding`.
    """
    own_slug, tried = tag.slug, ""
    while True:
        alike = await Tag.filter(organization_id=tag.organization_id, slug__startswith=NAMELESS).exclude(id=tag.id)
        others = {other.slug: other for other in alike if is_nameless(other.slug)}
        for other in others.values():
            if other.name.casefold() == tag.name.casefold() and other.id not in excluding:
                return other
        tag.slug = _free_slug(own_slug, others)
        try:
            await _save_unique(tag, fields)
        except Conflict:
            # Retry if the slug has been taken; otherwise another constraint failed.
            if tag.slug == tried:
                raise
            tried = tag.slug
        else:
            return tag


def _free_slug(slug: str, taken: Container[str]) -> str:
    numbered = (f"{NAMELESS}-{number}" for number in itertools.count(2))
    return next(free for free in itertools.chain([slug], numbered) if free not in taken)


async def _lock_claimants(organization_id: UUID, slug: str) -> list[Agent]:
    """Lock the agents that claim tasks with a tag, before the tag itself is locked."""
    agents = await Agent.filter(organization_id=organization_id, claim_tags__isnull=False).only("id", "claim_tags")
    ids = [agent.id for agent in agents if slug in (agent.claim_tags or [])]
    return await Agent.filter(id__in=ids).order_by("id").select_for_update() if ids else []


async def _follow(agents: Sequence[Agent], old: str, new: str) -> None:
    """Put one slug in the place of another, once for each agent."""
    for agent in agents:
        before = list(agent.claim_tags or [])
        agent.claim_tags = list(dict.fromkeys(new if slug == old else slug for slug in before))
        agent.updated_at = times.clock_now()
        await agent.save(update_fields=["claim_tags", "updated_at"])
        record(
            "agent.updated", agent, f"Agent changed: {agent.name}.",
            before={"claim_tags": before}, after={"claim_tags": agent.claim_tags},
        )  # fmt: skip


@command("tag.create")
async def create_tag(actor: Actor, new: TagCreate) -> Tag:
    """Create a tag in the active organization. A taken slug, given or made from the name: Conflict."""
    slug = slug_from((new.slug or "").strip() or new.name)
    tag = Tag(organization_id=actor.organization_id, **new.model_dump() | {"slug": slug or NAMELESS})
    await _save(tag, None, is_nameless=not (new.slug or "").strip() and not slug)
    record("tag.created", tag, f"Tag created: {tag.name}.", name=tag.name, slug=tag.slug, color=tag.color)
    return tag


@command("tag.update")
async def update_tag(actor: Actor, tag: Tag, change: TagUpdate) -> Tag:
    """Change a tag. A null or blank slug is made from the name again. A taken slug: Conflict.

    A name without ASCII letters keeps the tag's nameless slug, or gets a free one.
    """
    sent = change.model_dump(exclude_unset=True)
    claimants = await _lock_claimants(tag.organization_id, tag.slug) if "slug" in sent else []
    tag = await existing(Tag.select_for_update().get_or_none(id=tag.id))
    becomes_nameless = False
    if "slug" in sent:
        typed = (sent["slug"] or "").strip()
        slug = slug_from(typed or sent.get("name", tag.name))
        becomes_nameless = not (typed or slug)
        sent["slug"] = tag.slug if becomes_nameless and is_nameless(tag.slug) else slug or NAMELESS
    changes = {name: value for name, value in sent.items() if getattr(tag, name) != value}
    if not changes:
        return tag
    before = {name: getattr(tag, name) for name in changes}
    tag.update_from_dict(changes)
    tag.updated_at = times.clock_now()
    await _save(tag, [*changes, "updated_at"], is_nameless=becomes_nameless and "slug" in changes)
    changes = {name: getattr(tag, name) for name in changes}
    if "slug" in changes:
        await _follow(claimants, before["slug"], tag.slug)
    record("tag.updated", tag, f"Tag changed: {tag.name}.", before=before, after=changes)
    return tag


@command("tag.delete")
async def delete_tag(actor: Actor, tag: Tag) -> None:
    """Delete a tag and remove it from all tasks."""
    tag = await existing(Tag.select_for_update().get_or_none(id=tag.id))
    record("tag.deleted", tag, f"Tag deleted: {tag.name}.", name=tag.name, slug=tag.slug)
    await tag.delete()


@command("tag.delete")
async def merge_tag(actor: Actor, tag: Tag, into: UUID) -> Tag:
    """Put another tag on every task that has this one, and delete this one. Return the other.

    Raise Invalid for an unknown tag, and for the tag itself.
    """
    if tag.id == into:
        raise Invalid("Choose another tag. A tag cannot be merged into itself.")
    claimants = await _lock_claimants(tag.organization_id, tag.slug)
    both = Tag.filter(organization_id=tag.organization_id, id__in=[tag.id, into])
    locked = {other.id: other for other in await both.order_by("id").select_for_update()}
    if tag.id not in locked:
        raise NotFound()
    if into not in locked:
        raise Invalid("There is no tag with this id in the organization.")
    target = locked[into]
    moved = await rows(
        "UPDATE tag_assignments SET tag_id = ? WHERE tag_id = ?"
        " AND task_id NOT IN (SELECT task_id FROM tag_assignments WHERE tag_id = ?) RETURNING task_id",
        *(into, tag.id, into),
    )
    record(
        "tag.merged", tag, f"Tag {tag.name} merged into {target.name}.",
        name=tag.name, slug=tag.slug, into=target.slug, tasks=len(moved),
    )  # fmt: skip
    await _follow(claimants, tag.slug, target.slug)
    await tag.delete()
    return target


async def check_tags(organization_id: UUID, tag_ids: list[UUID]) -> None:
    """Refuse unknown tags and lock the others against deletion until the command ends."""
    if not tag_ids:
        return
    named = f"organization_id = ? AND id IN ({placeholders(len(tag_ids))})"
    existing_ids = await held("tags", named, organization_id, *tag_ids)
    if missing := [str(tag_id) for tag_id in tag_ids if tag_id not in existing_ids]:
        raise NotFound({"message": "Some tags do not exist in this organization.", "missing_tag_ids": missing})


async def tag_ids_of(task_id: UUID) -> list[UUID]:
    links = await rows("SELECT tag_id FROM tag_assignments WHERE task_id = ? ORDER BY created_at, id", task_id)
    return [UUID(str(row["tag_id"])) for row in links]


async def replace_tags(task_id: UUID, tag_ids: list[UUID]) -> tuple[list[UUID], list[UUID]] | None:
    """Replace the task's tags, in this order. Return the old and new tags, or None for a no-op."""
    before = await tag_ids_of(task_id)
    if before == tag_ids:
        return None
    await TagAssignment.filter(task_id=task_id).delete()
    moment = times.clock_now()
    await TagAssignment.bulk_create(
        TagAssignment(task_id=task_id, tag_id=tag_id, created_at=moment + timedelta(microseconds=at))
        for at, tag_id in enumerate(tag_ids)
    )
    return before, tag_ids
