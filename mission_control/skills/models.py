"""Skills and the packs they come from."""

from uuid import UUID

from tortoise import fields

from mission_control.core.scope import Scope
from mission_control.database.fields import Changing, json_field, nullable, reference


class Skill(Changing):
    """An entry of the organization's catalogue."""

    organization = reference("Organization")
    name = fields.TextField()
    description = nullable(fields.TextField)
    category = nullable(fields.TextField)
    risk = nullable(fields.TextField)
    source = nullable(fields.TextField)
    source_url = fields.CharField(max_length=2000)
    metadata = json_field(default=dict)
    content = nullable(fields.TextField)

    organization_id: UUID

    class Meta:
        table = "marketplace_skills"
        unique_together = (("organization", "source_url"),)

    def scope(self) -> Scope:
        """Return where an event about this skill belongs."""
        return Scope(organization_id=self.organization_id, subject_id=self.id)


class SkillPack(Changing):
    """A repository that skills are read from."""

    organization = reference("Organization")
    name = fields.TextField()
    description = nullable(fields.TextField)
    source_url = fields.CharField(max_length=2000)
    branch = fields.CharField(max_length=255, default="main")
    metadata = json_field(default=dict)

    organization_id: UUID

    class Meta:
        table = "skill_packs"
        unique_together = (("organization", "source_url"),)

    def scope(self) -> Scope:
        """Return where an event about this pack belongs."""
        return Scope(organization_id=self.organization_id, subject_id=self.id)


class InstalledSkill(Changing):
    """What was asked of a gateway about a skill: to have it (`is_wanted`) or to be without it, by which delivery."""

    gateway = reference("Gateway")
    skill = reference("Skill")
    is_wanted = fields.BooleanField(default=True)
    delivery_id = nullable(fields.UUIDField)

    gateway_id: UUID
    skill_id: UUID

    class Meta:
        table = "gateway_installed_skills"
        unique_together = (("gateway", "skill"),)
