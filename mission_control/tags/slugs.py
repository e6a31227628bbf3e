"""Slugs of tags: ASCII letters and digits. A name without any gets a free nameless slug (`tag-2`)."""

import re
from collections.abc import Collection
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.core.errors import Conflict
from mission_control.tags.models import Tag

SLUG_LENGTH = 255
NAMELESS = "tag"


def slug_from(text: str) -> str:
    """Return a text as lower-case letters and digits joined by hyphens; empty if nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:SLUG_LENGTH].rstrip("-")


def slug_of(text: str) -> str:
    """Return a text as a slug; `tag` if nothing is left."""
    return slug_from(text) or NAMELESS


def is_nameless(slug: str) -> bool:
    """Return whether a slug is nameless: `tag`, `tag-2`, ..."""
    return re.fullmatch(rf"{NAMELESS}(-[1-9][0-9]*)?", slug) is not None


async def save_unique(tag: Tag, fields: list[str] | None = None) -> None:
    """Store a tag, or some of its fields. A taken slug: Conflict."""
    try:
        async with in_transaction():
            await tag.save(update_fields=fields, force_create=fields is None)
    except IntegrityError:
        raise Conflict(f"The organization has a tag with the slug {tag.slug} already.") from None


async def save_nameless(tag: Tag, fields: list[str] | None = None, *, excluding: Collection[UUID] = ()) -> Tag:
    """Store a tag under its slug, or under the first free nameless one if that is taken.

    An existing tag with a nameless slug and the same name is returned instead, unless it is in `excluding`.
    """
    wanted, tried = tag.slug, ""
    while True:
        others = [one for one in await nameless_of(tag.organization_id) if one.id != tag.id]
        for one in others:
            if one.name.casefold() == tag.name.casefold() and one.id not in excluding:
                return one
        tag.slug = _free(wanted, {one.slug for one in others})
        try:
            await save_unique(tag, fields)
        except Conflict:
            # Retry if the slug has been taken; otherwise another constraint failed.
            if tag.slug == tried:
                raise
            tried = tag.slug
        else:
            return tag


async def nameless_of(organization_id: UUID) -> list[Tag]:
    """Return the tags of an organization with nameless slugs."""
    found = await Tag.filter(organization_id=organization_id, slug__startswith=NAMELESS)
    return [tag for tag in found if is_nameless(tag.slug)]


def _free(wanted: str, taken: set[str]) -> str:
    number, slug = 1, wanted
    while slug in taken:
        number, slug = number + 1, f"{NAMELESS}-{number + 1}"
    return slug
