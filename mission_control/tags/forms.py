"""What people type about tags."""

from typing import Any, ClassVar
from uuid import UUID

from mission_control.core.schemas import NonEmptyStr
from mission_control.tags.models import Tag
from mission_control.tags.schemas import Color, TagCreate, TagMerge, TagUpdate
from mission_control.web.actions import Form, VersionedForm

LABELS = {"name": "Name", "slug": "Slug", "color": "Colour", "description": "Description", "into": "Tag to keep"}


class NewTagForm(Form):
    """A new tag."""

    name: NonEmptyStr
    slug: str | None = None
    color: Color = "9e9e9e"
    description: str | None = None

    def body(self, found: None) -> TagCreate:
        """Return the tag to create."""
        return TagCreate(**self.model_dump())


class TagForm(VersionedForm):
    """The fields of a tag."""

    SHOWN: ClassVar[tuple[str, ...]] = ("name", "slug", "color", "description")
    name: NonEmptyStr
    slug: str | None = None
    color: Color = "9e9e9e"
    description: str | None = None

    def body(self, found: Tag) -> TagUpdate:
        """Return the change."""
        return TagUpdate(**self.model_dump(exclude={"version"}))

    @classmethod
    def values_of(cls, tag: Tag) -> dict[str, Any]:
        """Return what the form shows of a tag."""
        return {name: getattr(tag, name) for name in cls.SHOWN}


class MergeForm(Form):
    """The tag that stays."""

    into: UUID

    def body(self, found: Tag) -> TagMerge:
        """Return the merge."""
        return TagMerge(into=self.into)
