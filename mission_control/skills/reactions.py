"""The skill packs of a new organization."""

from mission_control.commands.reactions import Reactions
from mission_control.core.actor import Actor, system
from mission_control.live.log import NewEvent
from mission_control.skills.commands import create_pack
from mission_control.skills.schemas import SkillPackCreate

reactions = Reactions()

DEFAULT_PACKS = (
    (
        "https://github.com/sickn33/antigravity-awesome-skills",
        "antigravity-awesome-skills",
        "A large general collection of skills for coding agents.",
    ),
    (
        "https://github.com/BrianRWagner/ai-marketing-skills",
        "ai-marketing-skills",
        "Marketing skills: ideas for content, audits of homepages, cold outreach.",
    ),
)


@reactions.to("organization.created")
async def add_default_packs(actor: Actor, event: NewEvent) -> None:
    """Give a new personal organization two packs. Their skills come with the first sync."""
    if not event.data["personal"]:
        return
    organization_id = event.scope.organization_id
    for url, name, description in DEFAULT_PACKS:
        new = SkillPackCreate.model_validate({"source_url": url, "name": name, "description": description})
        await create_pack(system(organization_id), organization_id, new)
