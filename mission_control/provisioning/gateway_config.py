"""What Mission Control wants in a gateway's configuration for its agents, as a patch that changes nothing else.

Newer gateways keep agents in a map (`agents.entries`), older ones in a list (`agents.list`). A patch can restart an old
gateway: where nothing differs there is none.

No agent gets a heartbeat block: as soon as one agent of a gateway has one, the gateway beats only those that have one,
and its owner's own agents fall silent. Blocks that earlier versions wrote are removed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mission_control.agents.models import Agent

Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAgent:
    """An agent as its gateway should have it."""

    agent_id: str
    workspace: str

    @classmethod
    def of(cls, agent: Agent) -> "WantedAgent":
        """Return an agent of ours as its gateway should have it."""
        return cls(agent_id=str(agent.gateway_agent_id), workspace=agent.workspace_path or "")


def config_patch(config: Config, agents: Sequence[WantedAgent]) -> dict[str, Any] | None:
    """Return the merge patch for these agents, None when the gateway has all of it."""
    present = _mapping(config.get("agents"))
    if keeps_map(config):
        entries = _mapping(present.get("entries"))
        found = {
            one.agent_id: changed for one in agents if (changed := _changes(one, _mapping(entries.get(one.agent_id))))
        }
        return {"agents": {"entries": found}} if found else None
    before = [_mapping(one) for one in present.get("list") or ()]
    after = _listed(before, agents)
    patch: dict[str, Any] = {"agents": {"list": after}} if after != before else {}
    return patch | _exec_host(config) or None


def keeps_map(config: Config) -> bool:
    """Return whether the gateway keeps its agents in a map; an old one keeps a list."""
    agents = _mapping(config.get("agents"))
    return "entries" in agents or "list" not in agents


def with_heartbeat(config: Config) -> set[str]:
    """Return the ids of the agents with a heartbeat block of their own."""
    agents = _mapping(config.get("agents"))
    entries = {str(_mapping(one).get("id")): one for one in agents.get("list") or ()}
    entries |= _mapping(agents.get("entries"))
    return {key for key, one in entries.items() if "heartbeat" in _mapping(one)}


def _changes(wanted: WantedAgent, present: Config) -> dict[str, Any]:
    """Return what differs in one entry; null removes a field."""
    changed: dict[str, Any] = {"heartbeat": None} if "heartbeat" in present else {}
    if not _is_folder(present.get("workspace"), wanted.workspace):
        changed["workspace"] = wanted.workspace
    return changed


def _is_folder(present: Any, wanted: str) -> bool:
    """Return whether a gateway has a folder; it answers with its home folder in place of a `~`."""
    if not isinstance(present, str):
        return False
    return present == wanted or (wanted.startswith("~/") and present.endswith(wanted[1:]))


def _listed(before: Sequence[Config], agents: Sequence[WantedAgent]) -> list[Config]:
    """Return the whole list, of which a patch merges the entries by their ids. Those of other agents stay."""
    wanted = {one.agent_id: one for one in agents}
    known = {str(one.get("id")) for one in before}
    changed = [
        {**one, **_changes(wanted[key], one)} if (key := str(one.get("id"))) in wanted else one for one in before
    ]
    return changed + [{"id": key, **_changes(one, {})} for key, one in wanted.items() if key not in known]


def _exec_host(config: Config) -> dict[str, Any]:
    """Return where commands run, if that is open: an old gateway would look for a sandbox that is switched off.

    Where a sandbox is on, commands stay in it. Newer gateways find the right place themselves.
    """
    execs = _mapping(_mapping(config.get("tools")).get("exec"))
    defaults = _mapping(_mapping(config.get("agents")).get("defaults"))
    if execs.get("host") or _mapping(defaults.get("sandbox")).get("mode") not in (None, "off"):
        return {}
    return {"tools": {"exec": {"host": "gateway"}}}


def _mapping(value: Any) -> Config:
    return value if isinstance(value, Mapping) else {}
