"""Heartbeats that a gateway's owner set for all agents, so that those of Mission Control beat too, at a cost."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mission_control.gateways.connections.open_connection import Connection
from mission_control.gateways.protocol.errors import GatewayError
from mission_control.gateways.protocol.identity import is_made_by_us
from mission_control.gateways.protocol.payload import Payload

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
        answer = Payload.of(await connection.call("config.get", seconds=CALL_SECONDS))
    except GatewayError:
        return None
    return read_heartbeat(config_in(answer))


def config_in(answer: Payload) -> Payload:
    return answer.inner("config" if isinstance(answer.get("config"), dict) else "parsed")


def listed_entries(config: Payload) -> dict[str, Payload]:
    """Where an old gateway keeps its agents: in a list."""
    return {str(entry.get("id")): entry for entry in map(Payload.of, config.inner("agents").items_of("list"))}


def entries_of(config: Payload) -> dict[str, Payload]:
    entries = config.inner("agents").inner("entries")
    return listed_entries(config) | {key: entries.inner(key) for key in entries}


def read_heartbeat(config: Payload) -> SharedHeartbeat | None:
    """Read a configuration. As soon as one agent has a block of its own, only those with one beat."""
    defaults, entries = config.inner("agents").inner("defaults"), entries_of(config)
    shared, ours = defaults.inner("heartbeat"), list(filter(is_made_by_us, entries))
    has_own = any("heartbeat" in entry for entry in entries.values())
    if not isinstance(defaults.get("heartbeat"), dict) or shared.get("agentId") or not ours or has_own:
        return None
    every = shared.text("every") or DEFAULT_EVERY
    if not (seconds := sum(float(number) * UNITS[unit] for number, unit in DURATION.findall(every))):
        return None
    command = f"openclaw config set {_setting_for_owner(entries, list(listed_entries(config)), every)}"
    return SharedHeartbeat(round(DAY_SECONDS / seconds), len(ours), command)


def _setting_for_owner(entries: Iterable[str], listed: list[str], every: str) -> str:
    """Name the setting that lets only the owner's first agent beat."""
    owners = next((key for key in entries if not is_made_by_us(key)), "main")
    if owners in listed:
        return f"agents.list[{listed.index(owners)}].heartbeat.every {every}"
    return f"agents.defaults.heartbeat.agentId {owners}"
