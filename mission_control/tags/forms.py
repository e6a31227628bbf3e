"""What people type about tags."""

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

    name: NonEmptyStr
    slug: str | None = None
    color: Color = "9e9e9e"
    description: str | None = None

    def body(self, found: Tag) -> TagUpdate:
        """Return the change."""
        return TagUpdate(**self.model_dump(exclude={"version"}))


class MergeForm(Form):
    """The tag that stays."""

    into: UUID

    def body(self, found: Tag) -> TagMerge:
        """Return the merge."""
        return TagMerge(into=self.into)
