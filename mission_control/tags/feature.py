"""What tags add to the application."""

from mission_control.feature import Feature
from mission_control.live.kinds import Kind
from mission_control.tags import agent_api, api, models, policy

tags = Feature(
    name="tags",
    models=(models,),
    rules=(policy.rules,),
    kinds={
        "tag.created": Kind("A tag was created.", "made the tag", is_named_in_message=True),
        "tag.updated": Kind(
            "A tag's name, slug, colour or description changed.", "changed the tag", is_named_in_message=True
        ),
        "tag.deleted": Kind("A tag was deleted and taken off every task.", "deleted the tag", is_named_in_message=True),
    },
    blueprints=(
        agent_api.api,
        api.api,
    ),
)
