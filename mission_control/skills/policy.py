"""Rights on skills and packs."""

from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.skills.models import Skill, SkillPack

rules = Rules()


@rules.rule("skill.read")
@rules.rule("skill.create")
@rules.rule("skill.install")
@rules.rule("skill_pack.read")
@rules.rule("skill_pack.create")
def may_manage_skills(actor: Actor, thing: object) -> bool:
    """Owners and admins of the active organization."""
    return actor.is_user and actor.administers(actor.organization_id)


@rules.rule("skill.delete")
@rules.rule("skill_pack.update")
@rules.rule("skill_pack.delete")
@rules.rule("skill_pack.sync")
def may_change(actor: Actor, thing: Skill | SkillPack) -> bool:
    """Owners and admins of its organization."""
    return actor.is_user and actor.administers(thing.organization_id)
