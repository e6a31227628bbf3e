"""Rules for tags."""

from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.tags.models import Tag

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
