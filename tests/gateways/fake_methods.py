"""The methods of the gateway of tests: what they do and when they refuse, as a real one was seen to."""

import copy
import hashlib
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.gateways.fake_state import FakeAgent, FakeSession, now_ms

if TYPE_CHECKING:
    from tests.gateways.fake import FakeGateway

type Method = Callable[["FakeGateway", dict[str, Any]], Any]
METHODS: dict[str, Method] = {}


class Refused(Exception):
    """The gateway answers with an error."""

    def __init__(self, message: str, code: str = "INVALID_REQUEST", **more: Any) -> None:
        self.error = {"code": code, "message": message, **more}
        super().__init__(message)


def method(name: str) -> Callable[[Method], Method]:
    """Register a method."""

    def register(function: Method) -> Method:
        METHODS[name] = function
        return function

    return register


def agent_of(gateway: "FakeGateway", agent_id: str) -> FakeAgent:
    """Look an agent up; one that was just created is not known at once."""
    found = gateway.state.agents.get(agent_id)
    if found is None or found.hidden > 0:
        if found is not None:
            found.hidden -= 1
        raise Refused(f'agent "{agent_id}" not found')
    return found


@method("health")
def health(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    return {"ok": True, "ts": now_ms(), "durationMs": 1, "defaultAgentId": "main", "agents": [], "channels": {}}


@method("status")
def status(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    return {"runtimeVersion": gateway.version, "sessions": {"count": len(gateway.state.sessions)}}


@method("gateway.identity.get")
def identity_get(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    return {"deviceId": gateway.device_id, "publicKey": "of-this-gateway"}


@method("exec.approvals.get")
def exec_approvals_get(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    return {"path": "exec-approvals.json", "exists": False, "hash": "0" * 64, "file": {"version": 1}}


@method("models.list")
def models_list(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    return {"models": [{"id": "fake-1", "name": "Fake 1", "provider": "fake"}]}


@method("agents.list")
def agents_list(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    listed = []
    for agent in gateway.state.agents.values():
        if agent.hidden > 0:
            agent.hidden -= 1
            continue
        name = (gateway.state.entry(agent.id) or {}).get("name", agent.name)
        listed.append({"id": agent.id, "name": name, "workspace": agent.workspace})
    return {"defaultId": "main", "mainKey": "main", "scope": "per-sender", "ownership": "explicit", "agents": listed}


@method("agents.create")
def agents_create(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    agent_id = re.sub(r"[^a-z0-9]+", "-", params["name"].lower()).strip("-")
    if agent_id in gateway.state.agents:
        raise Refused(f'agent "{agent_id}" already exists')
    workspace = params.get("workspace") or f"/home/claw/workspace-{agent_id}"
    gateway.state.agents[agent_id] = FakeAgent(agent_id, params["name"], workspace, hidden=gateway.hidden_look_ups)
    beats = {"heartbeat": gateway.old_heartbeat} if gateway.old_heartbeat else {}
    _put_entry(gateway, agent_id, {"name": params["name"], "workspace": workspace, **beats})
    gateway.config_changed()
    return {"ok": True, "agentId": agent_id, "name": params["name"], "workspace": workspace}


@method("agents.update")
def agents_update(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    agent = agent_of(gateway, params["agentId"])
    agent.name = params.get("name", agent.name)
    agent.workspace = params.get("workspace", agent.workspace)
    entry = gateway.state.entry(agent.id)
    if entry is not None:
        entry |= {key: params[key] for key in ("name", "workspace", "model") if key in params}
    return {"ok": True, "agentId": agent.id}


@method("agents.delete")
def agents_delete(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    agent = agent_of(gateway, params["agentId"])
    del gateway.state.agents[agent.id]
    agents = gateway.state.config["agents"]
    if gateway.state.has_agents_map:
        agents["entries"].pop(agent.id, None)
    else:
        agents["list"] = [one for one in agents["list"] if one["id"] != agent.id]
    for key in [key for key, session in gateway.state.sessions.items() if session.agent_id == agent.id]:
        del gateway.state.sessions[key]
    failed = [{"path": path, "reason": "protected"} for path in gateway.kept_paths]
    removed = [] if gateway.passes_over else [{"path": agent.workspace, "method": "trash"}]
    if gateway.is_old:
        return {"ok": True, "agentId": agent.id, "removedBindings": 0}
    return {"ok": True, "agentId": agent.id, "removedBindings": 0, "removed": removed, "failed": failed}


def _put_entry(gateway: "FakeGateway", agent_id: str, entry: dict[str, Any]) -> None:
    agents = gateway.state.config["agents"]
    if gateway.state.has_agents_map:
        agents["entries"][agent_id] = entry
        agents["ownership"] = "explicit"
    else:
        agents["list"].append({"id": agent_id, **entry})


def _file(agent: FakeAgent, name: str, *, with_content: bool) -> dict[str, Any]:
    content = agent.files.get(name)
    if content is None:
        return {"name": name, "path": f"{agent.workspace}/{name}", "missing": True}
    raw = content.encode()
    found = {
        "name": name, "path": f"{agent.workspace}/{name}", "missing": False, "size": len(raw),
        "updatedAtMs": now_ms(), "hash": hashlib.sha256(raw).hexdigest(),
    }  # fmt: skip
    return found | ({"content": content} if with_content else {})


def _named_file(gateway: "FakeGateway", params: dict[str, Any]) -> FakeAgent:
    agent = agent_of(gateway, params["agentId"])
    if params["name"] not in gateway.state.files:
        raise Refused(f'unsupported file "{params["name"]}"')
    return agent


@method("agents.files.list")
def files_list(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    agent = agent_of(gateway, params["agentId"])
    files = [_file(agent, name, with_content=False) for name in gateway.state.files]
    return {"agentId": agent.id, "workspace": agent.workspace, "files": files}


@method("agents.files.get")
def files_get(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    agent = _named_file(gateway, params)
    file = _file(agent, params["name"], with_content=True)
    return {"agentId": agent.id, "workspace": agent.workspace, "file": file}


@method("agents.files.set")
def files_set(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    agent, name = _named_file(gateway, params), params["name"]
    current = _file(agent, name, with_content=False).get("hash")
    if params.get("expectedHash") not in (None, current):
        details = {"type": "agent_file_conflict", "name": name, "currentHash": current}
        raise Refused(f'agent file "{name}" changed since it was read', details=details)
    agent.files[name] = params["content"]
    file = _file(agent, name, with_content=True)
    return {"ok": True, "agentId": agent.id, "workspace": agent.workspace, "file": file}


@method("sessions.list")
def sessions_list(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    chosen = [one for one in gateway.state.sessions.values() if params.get("agentId") in (None, one.agent_id)]
    chosen.sort(key=lambda one: one.updated_at, reverse=True)
    start, most = params.get("offset") or 0, params.get("limit") or 100
    rows = [one.row() | ({"hasActiveRun": True} if one.key in gateway.running else {}) for one in chosen]
    rows = rows[start : start + most]
    more = start + most < len(chosen)
    return {
        "ts": now_ms(), "count": len(rows), "totalCount": len(chosen), "limitApplied": most,
        "nextOffset": start + most if more else None, "hasMore": more, "sessions": rows,
    }  # fmt: skip


@method("sessions.describe")
def sessions_describe(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    found = gateway.state.sessions.get(params["key"])
    return {"session": found.row() if found else None}


@method("sessions.preview")
def sessions_preview(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    found = [{"key": key, "status": "ok", "items": []} for key in params["keys"] if key in gateway.state.sessions]
    return {"ts": now_ms(), "previews": found}


@method("sessions.patch")
def sessions_patch(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    key, label = params["key"], params.get("label")
    _require_agent_of(gateway, key)
    session = gateway.state.sessions.get(key) or FakeSession(key)
    for other in gateway.state.sessions.values():
        same = gateway.unique_labels == "gateway" or other.agent_id == session.agent_id
        if label and other.label == label and other.key != key and same:
            raise Refused(f"label already in use: {label}")
    gateway.state.sessions[key] = session
    if "label" in params:
        session.label = label
    session.model = params.get("model") or session.model
    session.updated_at = now_ms()
    gateway.session_changed(session)
    entry = {"sessionId": session.session_id, "lifecycleRevision": session.revision, "updatedAt": session.updated_at}
    resolved = {"modelProvider": "fake", "model": session.model}
    return {"ok": True, "key": key, "entry": entry | ({"label": label} if label else {}), "resolved": resolved}


@method("sessions.reset")
def sessions_reset(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    session = gateway.state.session(params["key"])
    session.revision = f"revision-{next(gateway.state.numbers)}"
    session.messages.clear()
    session.add("system", "", kind="reset")
    return {"ok": True, "key": session.key, "entry": {"sessionId": session.session_id}}


@method("sessions.delete")
def sessions_delete(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    key = params["key"]
    if key.endswith(":main"):
        raise Refused(f"Cannot delete the main session ({key}).")
    deleted = gateway.state.sessions.pop(key, None) is not None
    return {"ok": True, "key": key, "deleted": deleted, "archived": []}


@method("sessions.subscribe")
@method("sessions.messages.subscribe")
@method("sessions.messages.unsubscribe")
def subscribe(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    return {"ok": True}


def _require_agent_of(gateway: "FakeGateway", key: str) -> None:
    """Refuse a session of an agent that does not exist."""
    parts = key.split(":")
    if len(parts) >= 3 and parts[0] == "agent":
        found = gateway.state.agents.get(parts[1])
        if found is None or found.hidden > 0:
            raise Refused(f'Agent "{parts[1]}" no longer exists in configuration')


@method("chat.send")
def chat_send(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    key, run_id = params["sessionKey"], params["idempotencyKey"]
    if run_id in gateway.state.runs:
        return {"runId": run_id, "status": gateway.state.runs[run_id]}
    _require_agent_of(gateway, key)
    if any(one["runId"] == run_id for one in gateway.state.pending.get(key, [])):
        raise Refused("Error: Pending input ownership ended; submit a new turn to continue")
    session = gateway.state.session(key)
    session.add("user", params["message"], idempotencyKey=f"{run_id}:user")
    gateway.state.runs[run_id] = "in_flight"
    gateway.run(session, run_id, params["message"])
    return {"runId": run_id, "status": "started"}


@method("agent")
def agent(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    key = params.get("sessionKey") or f"agent:{params['agentId']}:main"
    sent = {"sessionKey": key, "message": params["message"], "idempotencyKey": params["idempotencyKey"]}
    return {"runId": chat_send(gateway, sent)["runId"], "status": "accepted", "acceptedAt": now_ms()}


@method("chat.history")
def chat_history(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    session = gateway.state.sessions.get(params["sessionKey"])
    messages = session.messages if session else []
    most = params.get("limit") or 200
    start = max(len(messages) - most - (params.get("offset") or 0), 0)
    shown = messages[start : start + most]
    pending = gateway.state.pending.get(params["sessionKey"], [])
    is_active = params["sessionKey"] in gateway.running
    return {
        "sessionKey": params["sessionKey"], "messages": copy.deepcopy(shown), "hasMore": start > 0,
        "totalMessages": len(messages), "pendingInputs": {"items": pending, "total": len(pending)},
    } | ({"sessionId": session.session_id, "sessionInfo": {"hasActiveRun": is_active}} if session else {})  # fmt: skip


@method("chat.abort")
def chat_abort(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    ended = gateway.running.pop(params["sessionKey"], [])
    return {"ok": True, "aborted": bool(ended), "runIds": ended}


@method("config.get")
def config_get(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    config = copy.deepcopy(gateway.state.config)
    config["meta"] = {"lastTouchedVersion": gateway.version}
    return {
        "path": "/home/claw/openclaw.json", "exists": True, "valid": True, "hash": gateway.state.config_hash,
        "raw": json.dumps(config), "parsed": config, "resolved": config, "config": config, "issues": [],
    }  # fmt: skip


@method("config.patch")
def config_patch(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    if params.get("baseHash") not in (None, gateway.state.config_hash):
        raise Refused("config changed since last load; re-run config.get and retry")
    merged = _merged(copy.deepcopy(gateway.state.config), json.loads(params["raw"]))
    if merged == gateway.state.config:
        return {"ok": True, "noop": True, "changedPaths": [], "config": merged}
    if params.get("baseHash") is None:
        raise Refused("config base hash required; re-run config.get and retry with baseHash")
    gateway.state.config = merged
    gateway.config_changed()
    return {"ok": True, "hash": gateway.state.config_hash, "changedPaths": ["agents"], "config": merged}


def _merged(base: Any, patch: Any) -> Any:
    if isinstance(base, list) and isinstance(patch, list) and all("id" in one for one in [*base, *patch]):
        changed = {one["id"]: one for one in patch}
        kept = [_merged(one, changed.pop(one["id"], {})) for one in base]
        return kept + [_merged({}, one) for one in changed.values()]
    if not isinstance(base, dict) or not isinstance(patch, dict):
        return patch
    for key, value in patch.items():
        if value is None:
            base.pop(key, None)
        else:
            base[key] = _merged(base.get(key), value)
    return base


@method("wake")
def wake(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    return {"ok": True}


@method("set-heartbeats")
def set_heartbeats(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    return {"ok": True, "enabled": params.get("enabled", True)}


@method("last-heartbeat")
def last_heartbeat(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    return None


@method("skills.status")
def skills_status(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    return {"skills": gateway.state.skills}


@method("sessions.usage")
def sessions_usage(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    if gateway.protocol == 3 and params.keys() & {"agentScope", "includeHistorical"}:
        raise Refused("invalid sessions.usage params: at root: unexpected property 'agentScope'")
    rows = [
        {
            "key": one.key, "agentId": one.agent_id, "sessionId": one.session_id, "updatedAt": one.updated_at,
            "usage": None if gateway.usage_is_refreshing else {
                "input": one.input_tokens, "output": one.output_tokens, "totalCost": one.cost_usd,
                "cacheRead": 0, "cacheWrite": 0, "firstActivity": one.created_at,
            },
        }
        for one in gateway.state.sessions.values()
    ]  # fmt: skip
    status = "refreshing" if gateway.usage_is_refreshing else "fresh"
    return {"updatedAt": now_ms(), "sessions": rows, "cacheStatus": {"status": status}}


@method("sessions.usage.timeseries")
def sessions_usage_timeseries(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    session = gateway.state.sessions.get(params["key"])
    if session is None:
        raise Refused(f"No transcript found for session: {params['key']}")
    points = session.points
    step = -(-len(points) // 200) or 1
    parts = [points[first : first + step] for first in range(0, len(points), step)]
    summed = [{name: sum(one[name] for one in part) for name in part[0]} for part in parts]
    times = [part[-1]["timestamp"] for part in parts]
    shown = [{**one, "timestamp": at} for one, at in zip(summed, times, strict=True)]
    return {"sessionId": session.session_id, "points": shown}
