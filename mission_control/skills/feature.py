"""What skills add to the application."""

from mission_control.feature import Feature
from mission_control.live.kinds import Kind
from mission_control.skills import api, commands, models, pages, queries
from mission_control.skills.commands import INSTALL, UNINSTALL

skills = Feature(
    name="skills",
    models=(models,),
    rules=(queries.rules,),
    reactions=(commands.reactions,),
    kinds={
        "skill.created": Kind("A skill was added to the catalogue.", "added the skill", is_named_in_message=True),
        "skill.updated": Kind("A skill's name or description changed.", "changed the skill", is_named_in_message=True),
        "skill.deleted": Kind("A skill was removed from the catalogue.", "removed the skill", is_named_in_message=True),
        "skill.install_requested": Kind(
            "A person asked a gateway's main agent to install a skill.",
            "asked a gateway to install",
            is_named_in_message=True,
        ),
        "skill.uninstall_requested": Kind(
            "A person asked a gateway's main agent to remove a skill.",
            "asked a gateway to remove",
            is_named_in_message=True,
        ),
        "gateway.main.skill_message.sent": Kind(
            "A gateway's main agent got the request about a skill.",
            "told the gateway's agent:",
            is_named_in_message=True,
        ),
        "gateway.main.skill_message.failed": Kind(
            "A request about a skill was given up.", "could not tell the gateway's agent:", is_named_in_message=True
        ),
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
    lookups=(
        queries.visible_skill,
        queries.visible_pack,
    ),
    blueprints=(
        api.api,
        api.install_api,
        api.packs_api,
        pages.pack_pages,
        pages.pages,
    ),
    notices={INSTALL: "skill_install", UNINSTALL: "skill_uninstall"},
)
