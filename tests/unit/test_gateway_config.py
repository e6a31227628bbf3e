"""The wanted configuration of agents on a gateway, as a patch."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents.schemas import DEFAULT_HEARTBEAT, OFFLINE_AFTER
from mission_control.provisioning.gateway_config import (
    PROMPT,
    WantedAgent,
    config_patch,
    owner_is_reachable,
    refused_fields,
    wanted_heartbeat,
)

VEGA = WantedAgent(agent_id="mc-vega", workspace="~/.openclaw/workspace-mc-vega", heartbeat=DEFAULT_HEARTBEAT)
CHEAP = {"every": "9m", "target": "none", "prompt": PROMPT, "lightContext": True, "isolatedSession": True}
OLD = DEFAULT_HEARTBEAT | {"every": "9m"}
MAIN = {"workspace": "~/.openclaw/workspace", "heartbeat": {"every": "1h"}}


def merged(config: Mapping[str, Any], patch: Any) -> dict[str, Any]:
    """A configuration after a merge patch (RFC 7396)."""
    found = dict(config)
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        elif isinstance(value, Mapping):
            there = found.get(key)
            found[key] = merged(there if isinstance(there, Mapping) else {}, value)
        else:
            found[key] = value
    return found


def test_agent_in_a_map_gets_workspace_and_heartbeat_and_nothing_else_changes() -> None:
    config = {"agents": {"entries": {"main": MAIN, "mc-vega": {"name": "Vega"}}}, "tools": {}}
    patch = config_patch(config, [VEGA])
    assert patch == {"agents": {"entries": {"mc-vega": {"workspace": VEGA.workspace, "heartbeat": CHEAP}}}}
    after = merged(config, patch)
    assert after["agents"]["entries"]["main"] == MAIN and after["agents"]["entries"]["mc-vega"]["name"] == "Vega"
    assert config_patch(after, [VEGA]) is None


def test_only_what_differs_is_patched_and_what_is_no_longer_wanted_is_removed() -> None:
    before = CHEAP | {"every": "30m", "model": "fake/fake-1"}
    config = {"agents": {"entries": {"mc-vega": {"workspace": VEGA.workspace, "heartbeat": before}}}}
    patch = config_patch(config, [VEGA])
    assert patch == {"agents": {"entries": {"mc-vega": {"heartbeat": {"every": "9m", "model": None}}}}}
    assert config_patch(merged(config, patch), [VEGA]) is None


def test_several_agents_are_one_patch_without_those_that_are_right() -> None:
    right = {"workspace": VEGA.workspace, "heartbeat": CHEAP}
    rigel = WantedAgent(agent_id="mc-rigel", workspace="w", heartbeat={"every": "5m"})
    patch = config_patch({"agents": {"entries": {"mc-vega": right}}}, [VEGA, rigel])
    assert patch is not None and set(patch["agents"]["entries"]) == {"mc-rigel"}
    assert patch["agents"]["entries"]["mc-rigel"]["heartbeat"]["every"] == "5m"


@pytest.mark.parametrize(("every", "written"), [("10m", "9m"), ("600s", "9m"), ("11m", "11m"), ("0m", "0m")])
def test_beat_of_ten_minutes_comes_before_the_agent_counts_as_offline(every: str, written: str) -> None:
    assert timedelta(minutes=9) < OFFLINE_AFTER
    assert wanted_heartbeat({"every": every}, {})["every"] == written


def test_own_heartbeat_goes_over_the_default_without_fields_that_the_gateway_refuses() -> None:
    own = {"every": "1h", "target": "telegram", "to": "1", "isolatedSession": False, "includeReasoning": True, "odd": 1}
    assert wanted_heartbeat(own, {}) == CHEAP | {
        "every": "1h", "target": "telegram", "to": "1", "isolatedSession": False,
    }  # fmt: skip
    assert wanted_heartbeat({"every": "1h"}, {}, {"every", "target"}) == {"every": "1h", "target": "none"}
    assert "lightContext" not in wanted_heartbeat({"lightContext": None}, {})


@pytest.mark.parametrize("target", [None, "last", "owner"])
def test_target_is_none_where_no_owner_is_reachable(target: str | None) -> None:
    own = {"target": target}
    assert wanted_heartbeat(own, {})["target"] == "none"
    assert wanted_heartbeat(own, {"commands": {"ownerAllowFrom": ["telegram:1"]}})["target"] == "owner"
    assert wanted_heartbeat({"target": "none"}, {"commands": {"ownerAllowFrom": ["telegram:1"]}})["target"] == "none"


@pytest.mark.parametrize(
    ("config", "is_reachable"),
    [
        ({}, False),
        ({"commands": {"ownerAllowFrom": ["*"]}, "channels": {"telegram": {"allowFrom": ["telegram:*", ""]}}}, False),
        ({"channels": {"telegram": {"allowFrom": [123456789]}}}, True),
        ({"channels": {"telegram": {"accounts": {"ops": {"allowFrom": ["1"]}}}}}, True),
        ({"channels": {"defaults": {"groupPolicy": "open"}, "telegram": None}, "commands": "odd"}, False),
    ],
    ids=["nothing", "wildcards", "channel", "account", "odd"],
)
def test_owner_is_found_in_commands_and_channels(config: dict[str, Any], is_reachable: bool) -> None:
    assert owner_is_reachable(config) is is_reachable


def test_agent_in_a_list_is_changed_or_added_and_others_stay() -> None:
    main = {"id": "main", "default": True}
    config = {"agents": {"list": [main, {"id": "mc-vega", "model": "m"}]}, "tools": {"exec": {"host": "node"}}}
    rigel = WantedAgent(agent_id="mc-rigel", workspace="w", heartbeat={"every": "5m"})
    patch = config_patch(config, [VEGA, rigel])
    assert patch == {
        "agents": {
            "list": [
                main,
                {"id": "mc-vega", "model": "m", "workspace": VEGA.workspace, "heartbeat": OLD},
                {"id": "mc-rigel", "workspace": "w", "heartbeat": OLD | {"every": "5m"}},
            ]
        }
    }
    assert config_patch(merged(config, patch), [VEGA, rigel]) is None


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
    there = {"workspace": "/home/claw/.openclaw/workspace-mc-vega", "heartbeat": CHEAP}
    assert config_patch({"agents": {"entries": {"mc-vega": there}}}, [VEGA]) is None
    listed = {"id": "mc-vega", **there, "heartbeat": OLD}
    assert config_patch({"agents": {"list": [listed]}, "tools": {"exec": {"host": "gateway"}}}, [VEGA]) is None
    moved = there | {"workspace": "/home/claw/other"}
    patch = config_patch({"agents": {"entries": {"mc-vega": moved}}}, [VEGA])
    assert patch == {"agents": {"entries": {"mc-vega": {"workspace": VEGA.workspace}}}}


def test_fields_that_a_gateway_refused_are_left_out() -> None:
    issues = [
        {"path": "agents.entries.mc-vega.heartbeat", "message": 'Unrecognized keys: "lightContext", "prompt"'},
        {"path": "agents.entries.mc-vega", "message": 'Unrecognized key: "workspace"'},
        {"path": "agents.list.0.heartbeat", "message": 'Unrecognized key: "includeReasoning"'},
        {"path": "agents.list.0.heartbeat", "message": 'Expected "string"'},
    ]
    refused = refused_fields({"issues": issues})
    assert refused == {"lightContext", "prompt", "includeReasoning"}
    assert refused_fields({}) == refused_fields({"issues": None}) == frozenset()
    patch = config_patch({"agents": {"entries": {}}}, [VEGA], refused=refused)
    assert patch is not None
    assert set(patch["agents"]["entries"]["mc-vega"]["heartbeat"]) == {"every", "target", "isolatedSession"}
    patch = config_patch({"agents": {"list": []}}, [VEGA], refused=refused)
    assert patch is not None and patch["agents"]["list"][0]["heartbeat"] == {"every": "9m", "target": "last"}
