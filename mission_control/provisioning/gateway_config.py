"""What Mission Control wants in a gateway's configuration for its agents, as a patch that changes nothing else.

Newer gateways keep agents in a map (`agents.entries`) and refuse fields of heartbeats that they do not know; older ones
keep them in a list (`agents.list`). A patch can restart an old gateway: where nothing differs there is none.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mission_control.agents.schemas import DEFAULT_HEARTBEAT

HEARTBEAT_FIELDS = frozenset({
    "every", "activeHours", "model", "session", "target", "directPolicy", "to", "accountId", "prompt", "timeoutSeconds",
    "lightContext", "isolatedSession",
})  # fmt: skip
# These let the gateway choose where alerts go. Without an owner it can reach, it skips the heartbeat altogether.
UNDECIDED = (None, "", "last", "owner")
TEN_MINUTES = ("10m", "600s")
# The beat runs without the workspace's files and without what was said before: both cost tokens every ten minutes.
PROMPT = (
    "Heartbeat of Mission Control. Run `./mc beat` in your workspace. If it prints nothing but `idle`, reply"
    " HEARTBEAT_OK and do nothing else. Otherwise, or when ./mc is missing, read AGENTS.md and do what it says."
)
CHEAP = {"prompt": PROMPT, "lightContext": True, "isolatedSession": True}

# A refusal that names unknown fields: Unrecognized keys: "odd", "odder"
UNKNOWN, QUOTED = "Unrecognized key", re.compile(r'"([^"]+)"')

Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAgent:
    """An agent as its gateway should have it; `heartbeat` is what is set for this agent, over the default."""

    agent_id: str
    workspace: str
    heartbeat: Config | None = None


def config_patch(
    config: Config, agents: Sequence[WantedAgent], *, refused: Collection[str] = ()
) -> dict[str, Any] | None:
    """Return the merge patch for these agents, None when the gateway has all of it.

    `refused` are fields of heartbeats that this gateway does not accept, as `refused_fields` reads them from an error.
    """
    present, heartbeat_fields = _mapping(config.get("agents")), HEARTBEAT_FIELDS - set(refused)
    if keeps_map(config):
        entries = _mapping(present.get("entries"))
        found = {
            one.agent_id: changed
            for one in agents
            if (changed := _changes(one, _mapping(entries.get(one.agent_id)), config, heartbeat_fields))
        }
        return {"agents": {"entries": found}} if found else None
    before = [dict(_mapping(one)) for one in present.get("list") or ()]
    after = _listed(before, agents, refused)
    patch: dict[str, Any] = {"agents": {"list": after}} if after != before else {}
    return patch | _exec_host(config) or None


def refused_fields(details: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields of heartbeats that a gateway did not know, from the details of its refusal of a patch."""
    issues = [_mapping(one) for one in details.get("issues") or ()]
    messages = [str(one.get("message")) for one in issues if str(one.get("path")).endswith("heartbeat")]
    return frozenset(name for text in messages if text.startswith(UNKNOWN) for name in QUOTED.findall(text))


def keeps_map(config: Config) -> bool:
    """Return whether the gateway keeps its agents in a map; an old one keeps a list."""
    agents = _mapping(config.get("agents"))
    return "entries" in agents or "list" not in agents


# A map of agents


def _changes(wanted: WantedAgent, present: Config, config: Config, fields: Collection[str]) -> dict[str, Any]:
    """Return what differs in one entry. A field of the heartbeat that is no longer wanted is null, which removes it."""
    heartbeat, before = wanted_heartbeat(wanted.heartbeat, config, fields), _mapping(present.get("heartbeat"))
    beats = {key: heartbeat.get(key) for key in {**before, **heartbeat} if heartbeat.get(key) != before.get(key)}
    changed: dict[str, Any] = {"heartbeat": beats} if beats else {}
    if not _is_folder(present.get("workspace"), wanted.workspace):
        changed["workspace"] = wanted.workspace
    return changed


def _is_folder(present: Any, wanted: str) -> bool:
    """Return whether a gateway has a folder; it answers with its home folder in place of a `~`."""
    if not isinstance(present, str):
        return False
    return present == wanted or (wanted.startswith("~/") and present.endswith(wanted[1:]))


def wanted_heartbeat(own: Config | None, config: Config, fields: Collection[str] = HEARTBEAT_FIELDS) -> dict[str, Any]:
    """Return the heartbeat of an agent on a gateway with a map of agents, without fields that it refuses."""
    found = _in_time({**DEFAULT_HEARTBEAT, **CHEAP, **(own or {})})
    if found.get("target") in UNDECIDED:
        found["target"] = "owner" if owner_is_reachable(config) else "none"
    return {key: value for key, value in found.items() if key in fields and value is not None}


def owner_is_reachable(config: Config) -> bool:
    """Return whether the gateway knows a person to whom it can send a direct message."""
    allowed = [_mapping(config.get("commands")).get("ownerAllowFrom")]
    for channel in _mapping(config.get("channels")).values():
        accounts = _mapping(_mapping(channel).get("accounts")).values()
        allowed += [_mapping(one).get("allowFrom") for one in (channel, *accounts)]
    return any(_is_concrete(one) for some in allowed if isinstance(some, list) for one in some)


def _is_concrete(sender: Any) -> bool:
    """Return whether an entry of an allow-list names somebody; a wildcard names nobody."""
    return str(sender).strip().rpartition(":")[2] not in ("", "*")


# A list of agents


def _listed(
    before: list[dict[str, Any]], agents: Sequence[WantedAgent], refused: Collection[str]
) -> list[dict[str, Any]]:
    """Return the whole list: a patch replaces lists. The entries of other agents stay as they are."""
    wanted = {one.agent_id: _old_entry(one, refused) for one in agents}
    known = {one.get("id") for one in before}
    return [_merged(one, wanted.get(str(one.get("id")))) for one in before] + [
        {"id": key, **entry} for key, entry in wanted.items() if key not in known
    ]


def _merged(present: dict[str, Any], wanted: dict[str, Any] | None) -> dict[str, Any]:
    if wanted is None:
        return present
    workspace = present.get("workspace")
    kept = {"workspace": workspace} if _is_folder(workspace, wanted["workspace"]) else {}
    return present | wanted | kept


def _old_entry(wanted: WantedAgent, refused: Collection[str]) -> dict[str, Any]:
    heartbeat = _in_time({**DEFAULT_HEARTBEAT, **(wanted.heartbeat or {})})
    kept = {key: value for key, value in heartbeat.items() if key not in refused}
    return {"workspace": wanted.workspace, "heartbeat": kept}


def _exec_host(config: Config) -> dict[str, Any]:
    """Return where commands run, if that is open: an old gateway would look for a sandbox that is switched off.

    Where a sandbox is on, commands stay in it. Newer gateways find the right place themselves.
    """
    execs = _mapping(_mapping(config.get("tools")).get("exec"))
    defaults = _mapping(_mapping(config.get("agents")).get("defaults"))
    if execs.get("host") or _mapping(defaults.get("sandbox")).get("mode") not in (None, "off"):
        return {}
    return {"tools": {"exec": {"host": "gateway"}}}


def _in_time(heartbeat: dict[str, Any]) -> dict[str, Any]:
    """Return a heartbeat a little ahead of the ten minutes after which a silent agent counts as offline."""
    return heartbeat | ({"every": "9m"} if heartbeat.get("every") in TEN_MINUTES else {})


def _mapping(value: Any) -> Config:
    return value if isinstance(value, Mapping) else {}
