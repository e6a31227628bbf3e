"""Usage that the gateway of an agent measures, beside what the agent reports itself; the larger one counts.

For each agent on a gateway one row has both sums. A report counts only as far as it goes beyond what was measured,
and a measurement only as far as it goes beyond what was reported, whichever comes first.
"""

from dataclasses import dataclass
from uuid import UUID

from mission_control.database.sql import rows
from mission_control.usage.models import GatewayAgentUsage

NAMES = ("input", "output", "micros")


@dataclass(frozen=True, slots=True)
class Figures:
    """Tokens in and out, and millionths of a US dollar."""

    input: int = 0
    output: int = 0
    micros: int = 0

    def __bool__(self) -> bool:
        """Whether it is anything at all."""
        return bool(self.input or self.output or self.micros)

    def beyond(self, other: "Figures") -> "Figures":
        """Return how much of this is more than the other."""
        return Figures(*(max(0, getattr(self, name) - getattr(other, name)) for name in NAMES))

    def larger(self, other: "Figures") -> "Figures":
        """Return the larger one of each."""
        return Figures(*(max(getattr(self, name), getattr(other, name)) for name in NAMES))


async def beyond_known(agent_id: UUID, more: Figures, where: str) -> Figures:
    """Add what was `reported` or `measured`, and return what of it counts. To be called inside a command."""
    await rows(
        "INSERT INTO gateway_agent_usage (agent_id, measured_input, measured_output, measured_micros, reported_input,"
        " reported_output, reported_micros) VALUES (?, 0, 0, 0, 0, 0, 0) ON CONFLICT (agent_id) DO NOTHING",
        agent_id,
    )
    kept = await GatewayAgentUsage.select_for_update().get(agent_id=agent_id)
    before = _sum(kept, "measured").larger(_sum(kept, "reported"))
    for name in NAMES:
        column = f"{where}_{name}"
        setattr(kept, column, getattr(kept, column) + getattr(more, name))
    changed = {f"{where}_{name}": getattr(kept, f"{where}_{name}") for name in NAMES}
    await GatewayAgentUsage.filter(agent_id=agent_id).update(**changed)
    return _sum(kept, "measured").larger(_sum(kept, "reported")).beyond(before)


def _sum(kept: GatewayAgentUsage, where: str) -> Figures:
    return Figures(*(int(getattr(kept, f"{where}_{name}")) for name in NAMES))
