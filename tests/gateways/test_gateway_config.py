"""The wanted configuration of agents on a gateway, as a patch."""

from collections.abc import Mapping
from typing import Any

import pytest

from mission_control.agents.models import Agent
from mission_control.gateway_agents.provisioning import gateway_agent
from mission_control.gateways.protocol.payload import Payload

VEGA = Agent(name="Vega", gateway_agent_id="mc-vega", workspace_path="~/.openclaw/workspace-mc-vega")
RIGEL = Agent(name="Rigel", gateway_agent_id="mc-rigel", workspace_path="w")
THERE = {"name": "Vega", "workspace": VEGA.workspace_path}
OURS = {"every": "9m", "target": "none", "prompt": "Heartbeat of Mission Control. Run `./mc beat`."}
MAIN = {"workspace": "~/.openclaw/workspace", "heartbeat": {"every": "1h"}}


def config_patch(config: Any, agents: list[Agent]) -> Any:
    return gateway_agent.config_patch(Payload(config), agents)


def with_heartbeat(config: Any) -> set[str]:
    return gateway_agent.with_heartbeat(Payload(config))


def merged(config: Mapping[str, Any], patch: Any) -> dict[str, Any]:
    """A configuration after a merge patch (RFC 7396) that merges lists by the ids of their entries."""
    found = dict(config)
    for key, value in patch.items():
        there = found.get(key)
        if value is None:
            found.pop(key, None)
        elif isinstance(value, Mapping):
            found[key] = merged(there if isinstance(there, Mapping) else {}, value)
        elif isinstance(value, list):
            known = {one["id"]: one for one in there or ()}
            found[key] = [merged(known.get(one["id"], {}), one) for one in value]
        else:
            found[key] = value
    return found


def test_agent_in_a_map_gets_its_workspace_and_nothing_else_changes() -> None:
    config = {"agents": {"entries": {"main": MAIN, "mc-vega": {"name": "Vega"}}}, "tools": {}}
    patch = config_patch(config, [VEGA])
    assert patch == {"agents": {"entries": {"mc-vega": {"workspace": VEGA.workspace_path}}}}
    after = merged(config, patch)
    assert after["agents"]["entries"]["main"] == MAIN and after["agents"]["entries"]["mc-vega"]["name"] == "Vega"
    assert config_patch(after, [VEGA]) is None


def test_agent_with_another_name_is_renamed() -> None:
    patch = config_patch({"agents": {"entries": {"mc-vega": THERE | {"name": "Vega of old"}}}}, [VEGA])
    assert patch == {"agents": {"entries": {"mc-vega": {"name": "Vega"}}}}


def test_heartbeat_from_before_is_removed_and_the_owners_own_stays() -> None:
    config = {"agents": {"entries": {"main": MAIN, "mc-vega": THERE | {"heartbeat": OURS}}}}
    assert with_heartbeat(config) == {"main", "mc-vega"}
    patch = config_patch(config, [VEGA])
    assert patch == {"agents": {"entries": {"mc-vega": {"heartbeat": None}}}}
    assert with_heartbeat(merged(config, patch)) == {"main"}


def test_several_agents_are_one_patch_without_those_that_are_right() -> None:
    patch = config_patch({"agents": {"entries": {"mc-vega": THERE}}}, [VEGA, RIGEL])
    assert patch == {"agents": {"entries": {"mc-rigel": {"name": "Rigel", "workspace": "w"}}}}


def test_agent_in_a_list_is_changed_or_added_and_others_stay() -> None:
    main = {"id": "main", "default": True, "heartbeat": {"every": "1h"}}
    vega = {"id": "mc-vega", "model": "m", "heartbeat": OURS}
    config = {"agents": {"list": [main, vega]}, "tools": {"exec": {"host": "node"}}}
    patch = config_patch(config, [VEGA, RIGEL])
    assert patch is not None
    after = merged(config, patch)
    assert after["agents"]["list"] == [
        main,
        {"id": "mc-vega", "model": "m", "workspace": VEGA.workspace_path},
        {"id": "mc-rigel", "workspace": "w"},
    ]
    assert with_heartbeat(after) == {"main"}
    assert config_patch(after, [VEGA, RIGEL]) is None


def test_old_gateway_runs_commands_on_the_gateway_unless_that_is_decided() -> None:
    base: dict[str, Any] = {"agents": {"list": []}}
    patch = config_patch(base, [])
    assert patch == {"tools": {"exec": {"host": "gateway"}}}
    assert config_patch(merged(base, patch), []) is None
    sandboxed = {"agents": {"list": [], "defaults": {"sandbox": {"mode": "all"}}}}
    assert config_patch(sandboxed, []) is None
    assert config_patch({"agents": {"entries": {}}}, []) is None


@pytest.mark.parametrize("agents", [None, {}, {"entries": None}, {"list": None}], ids=["null", "empty", "map", "list"])
def test_gateway_without_agents_gets_ours(agents: Any) -> None:
    config = {"agents": agents, "tools": {"exec": {"host": "gateway"}}}
    patch = config_patch(config, [VEGA])
    assert patch is not None and config_patch(merged(config, patch), [VEGA]) is None
    assert "channels" not in patch


def test_gateway_that_answers_with_its_home_folder_is_not_patched_again() -> None:
    there = {"name": "Vega", "workspace": "/home/claw/.openclaw/workspace-mc-vega"}
    assert config_patch({"agents": {"entries": {"mc-vega": there}}}, [VEGA]) is None
    listed = {"id": "mc-vega", **there}
    assert config_patch({"agents": {"list": [listed]}, "tools": {"exec": {"host": "gateway"}}}, [VEGA]) is None
    moved = there | {"workspace": "/home/claw/other"}
    patch = config_patch({"agents": {"entries": {"mc-vega": moved}}}, [VEGA])
    assert patch == {"agents": {"entries": {"mc-vega": {"workspace": VEGA.workspace_path}}}}
