"""Rights on skills and packs."""

from mission_control.core.actor import Actor
from mission_control.core.policy import rule
from mission_control.skills.models import Skill, SkillPack


@rule("skill.read")
@rule("skill.create")
@rule("skill_pack.read")
@rule("skill_pack.create")
def may_manage_skills(actor: Actor, thing: object) -> bool:
    """Owners and admins of the active organization."""
    return actor.is_user and actor.administers(actor.organization_id)


@rule("skill.delete")
@rule("skill_pack.update")
@rule("skill_pack.delete")
@rule("skill_pack.sync")
def may_change(actor: Actor, thing: Skill | SkillPack) -> bool:
    """Owners and admins of its organization."""
    return actor.is_user and actor.administers(thing.organization_id)
