"""Skills and the packs they come from."""

from typing import Any

from tortoise import fields
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.core.scope import Scope
from mission_control.database.fields import UtcDatetimeField


class Skill(Model):
    """An entry of the organization's catalogue."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization: Any = fields.ForeignKeyField("models.Organization", related_name=False, on_delete=fields.CASCADE)
    name = fields.TextField()
    description: Any = fields.TextField(null=True)
    category: Any = fields.TextField(null=True)
    risk: Any = fields.TextField(null=True)
    source: Any = fields.TextField(null=True)
    source_url = fields.CharField(max_length=2000)
    metadata: Any = fields.JSONField(default=dict)
    content: Any = fields.TextField(null=True)
    created_at = UtcDatetimeField(default=now)
    updated_at = UtcDatetimeField(default=now)

    organization_id: Any

    class Meta:
        table = "marketplace_skills"
        unique_together = (("organization", "source_url"),)

    def scope(self) -> Scope:
        """Return where an event about this skill belongs."""
        return Scope(organization_id=self.organization_id, subject_id=self.id)


class SkillPack(Model):
    """A repository that skills are read from."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization: Any = fields.ForeignKeyField("models.Organization", related_name=False, on_delete=fields.CASCADE)
    name = fields.TextField()
    description: Any = fields.TextField(null=True)
    source_url = fields.CharField(max_length=2000)
    branch = fields.CharField(max_length=255, default="main")
    metadata: Any = fields.JSONField(default=dict)
    created_at = UtcDatetimeField(default=now)
    updated_at = UtcDatetimeField(default=now)

    organization_id: Any

    class Meta:
        table = "skill_packs"
        unique_together = (("organization", "source_url"),)

    def scope(self) -> Scope:
        """Return where an event about this pack belongs."""
        return Scope(organization_id=self.organization_id, subject_id=self.id)


class InstalledSkill(Model):
    """What was asked of a gateway about a skill: to have it (`is_wanted`) or to be without it, by which delivery."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    gateway: Any = fields.ForeignKeyField("models.Gateway", related_name=False, on_delete=fields.CASCADE)
    skill: Any = fields.ForeignKeyField("models.Skill", related_name=False, on_delete=fields.CASCADE)
    is_wanted = fields.BooleanField(default=True)
    delivery_id: Any = fields.UUIDField(null=True)
    created_at = UtcDatetimeField(default=now)
    updated_at = UtcDatetimeField(default=now)

    gateway_id: Any
    skill_id: Any

    class Meta:
        table = "gateway_installed_skills"
        unique_together = (("gateway", "skill"),)
