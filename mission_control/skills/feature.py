"""What skills add to the application."""

from mission_control.feature import Feature
from mission_control.live.kinds import Kind
from mission_control.skills import api, models, packs_api, policy, reactions

skills = Feature(
    name="skills",
    models=(models,),
    rules=(policy.rules,),
    reactions=(reactions.reactions,),
    kinds={
        "skill.created": Kind("A skill was added to the catalogue.", "added the skill", is_named_in_message=True),
        "skill.updated": Kind("A skill's name or description changed.", "changed the skill", is_named_in_message=True),
        "skill.deleted": Kind("A skill was removed from the catalogue.", "removed the skill", is_named_in_message=True),
        "skill_pack.created": Kind(
            "A repository was added as a skill pack.", "added the skill pack", is_named_in_message=True
        ),
        "skill_pack.updated": Kind("A skill pack changed.", "changed the skill pack", is_named_in_message=True),
        "skill_pack.deleted": Kind(
            "A skill pack was removed; its skills stayed.", "removed the skill pack", is_named_in_message=True
        ),
        "skill_pack.synced": Kind(
            "Reading a skill pack changed the catalogue.", "read the skill pack", is_named_in_message=True
        ),
    },
    blueprints=(
        api.api,
        packs_api.api,
    ),
)
