"""What stays on gateways when a gateway or an organization is deleted here: nothing there can be reached afterwards."""

from dataclasses import dataclass, field
from shlex import quote
from uuid import UUID

from mission_control.database.sql import rows


@dataclass(frozen=True, slots=True)
class Left:
    """The agents of a gateway by their ids there: those that were made for this installation, and those only linked."""

    gateway_id: str
    name: str
    made: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)

    @property
    def commands(self) -> str:
        """What its operator runs on its host to remove what was made for this installation, and nothing else."""
        return "\n".join(f"openclaw agents delete {quote(one)} --force" for one in self.made)


async def left_on_gateways(organization_id: UUID, gateway_id: UUID | None = None) -> list[Left]:
    """Return what stays on the gateways of an organization, or on one of them; gateways without agents are left out."""
    only = "" if gateway_id is None else " AND g.id = ?"
    found = await rows(
        "SELECT g.id, g.name, a.gateway_agent_id, a.is_adopted FROM agents a JOIN gateways g ON g.id = a.gateway_id"
        f" WHERE g.organization_id = ?{only} AND a.gateway_agent_id IS NOT NULL"
        " AND (a.board_id IS NOT NULL OR a.workspace_token IS NOT NULL) ORDER BY g.name, g.id,"
        " a.gateway_agent_id",
        organization_id,
        *([] if gateway_id is None else [gateway_id]),
    )
    left: dict[str, Left] = {}
    for row in found:
        one = left.setdefault(str(row["id"]), Left(str(row["id"]), row["name"]))
        (one.linked if row["is_adopted"] else one.made).append(row["gateway_agent_id"])
    return list(left.values())
