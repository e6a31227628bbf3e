"""Heartbeats that a gateway's owner set for all agents, so that those of Mission Control beat too, at a cost."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mission_control.gateways.connections.open_connection import Connection
from mission_control.gateways.protocol.errors import GatewayError
from mission_control.gateways.protocol.identity import is_made_by_us

CODE = "heartbeats_of_all"
CALL_SECONDS = 5.0
DAY_SECONDS = 86_400
DEFAULT_EVERY = "30m"
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": DAY_SECONDS, "": 60}


@dataclass(frozen=True, slots=True)
class SharedHeartbeat:
    """A heartbeat of all agents: how often a day, for how many of ours, and what keeps it to the owner's."""

    a_day: int
    agents: int
    command: str

    @property
    def sentence(self) -> str:
        calls = self.a_day * self.agents
        ours = f"the {self.agents} of Mission Control" if self.agents > 1 else "the one of Mission Control"
        cost = f"{ours} too: at least {calls} model calls a day, while your own agents wait"
        return f"agents.defaults.heartbeat names no agentId, so the gateway beats every agent, {cost}."


async def shared_heartbeat(connection: Connection) -> SharedHeartbeat | None:
    """Ask a gateway whether agents that were made here beat; None also where it does not say."""
    try:
        found = await connection.call("config.get", seconds=CALL_SECONDS)
    except GatewayError:
        return None
    config = found.get("config") or found.get("parsed") if isinstance(found, Mapping) else None
    return read_heartbeat(config) if isinstance(config, Mapping) else None


def read_heartbeat(config: Mapping[str, Any]) -> SharedHeartbeat | None:
    """Read a configuration. As soon as one agent has a block of its own, only those with one beat."""
    agents = _mapping(config.get("agents"))
    defaults = _mapping(agents.get("defaults")).get("heartbeat")
    listed = agents.get("list")
    old = {str(_mapping(one).get("id")): _mapping(one) for one in listed} if isinstance(listed, list) else {}
    entries = {**old, **_mapping(agents.get("entries"))}
    ours = [key for key in entries if is_made_by_us(key)]
    if not isinstance(defaults, Mapping) or defaults.get("agentId") or not ours:
        return None
    if any("heartbeat" in _mapping(one) for one in entries.values()):
        return None
    every = str(defaults.get("every") or DEFAULT_EVERY)
    seconds = sum(float(number) * UNITS[unit] for number, unit in DURATION.findall(every))
    owners = next((key for key in entries if not is_made_by_us(key)), "main")
    setting = f"agents.list[{list(old).index(owners)}].heartbeat.every {every}" if owners in old else ""
    setting = setting or f"agents.defaults.heartbeat.agentId {owners}"
    return (
        SharedHeartbeat(round(DAY_SECONDS / seconds), len(ours), f"openclaw config set {setting}") if seconds else None
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
