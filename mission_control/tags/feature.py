"""What tags add to the application."""

from mission_control.core.actor import Actor
from mission_control.core.policy import can
from mission_control.feature import Feature
from mission_control.live.kinds import Kind
from mission_control.tags import api, models, pages, policy, queries
from mission_control.web.shell import NamedBoard, PaletteEntry


def may_create(actor: Actor, board: NamedBoard | None) -> bool:
    return can(actor, "tag.create")


tags = Feature(
    name="tags",
    models=(models,),
    rules=(policy.rules,),
    kinds={
        "tag.created": Kind("A tag was created.", "made the tag", is_named_in_message=True),
        "tag.updated": Kind(
            "A tag's name, slug, colour or description changed.", "changed the tag", is_named_in_message=True
        ),
        "tag.merged": Kind(
            "A tag was merged into another one, which its tasks have now.", "merged the tag", is_named_in_message=True
        ),
        "tag.deleted": Kind("A tag was deleted and taken off every task.", "deleted the tag", is_named_in_message=True),
    },
    lookups=(queries.visible_tag,),
    blueprints=(api.api, pages.pages),
    palette=(PaletteEntry("New tag", "/settings/tags/new", "plus", "create label", 60, group="Do", may=may_create),),
)
