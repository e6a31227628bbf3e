"""An agent as its gateway knows it: calls that several steps share, and its entry in the configuration."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.core.times import monotonic
from mission_control.core.values import to_json
from mission_control.events import leases, wakeup_channels
from mission_control.gateways.connections import connector
from mission_control.gateways.connections.events import GatewayRef, Handlers, when_connected
from mission_control.gateways.protocol.errors import GatewayError, Said

CALL_SECONDS = 60.0  # a gateway reads its configuration anew before it answers some of them
READING_SECONDS = 10.0  # where somebody waits for a list

# A gateway that loads its configuration anew ends the turns that are just beginning. So changes that come together are
# made together: messages wait during them and for a moment afterwards, then it is their turn, and the next change waits
# until what they began has begun.
QUIET_SECONDS, BEGINNING_SECONDS = 2.0, 10.0
TOGETHER_SECONDS, MESSAGES_SECONDS = 15.0, 3.0


@dataclass(slots=True)
class _Changes:
    """The changes of a gateway's configuration, made one after the other, and the runs that have not begun yet."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked: int = 0
    are_made: bool = False
    open_until: float = 0.0  # then it is the turn of messages
    ended_at: float = -3_600.0
    beginning: dict[str, asyncio.Event] = field(default_factory=dict)


_changes_of: dict[UUID, _Changes] = {}


async def call(
    gateway_id: UUID, method: str, params: Mapping[str, Any] | None = None, *, seconds: float = CALL_SECONDS
) -> Any:
    return await connector.call(gateway_id, method, dict(params or {}), seconds=seconds)


# What gateways answer is read leniently: what is not understood is passed over.
def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def list_in(payload: object, name: str) -> list[Any]:
    found = mapping(payload).get(name)
    return found if isinstance(found, list) else []


def mappings_in(payload: object, name: str) -> list[Mapping[str, Any]]:
    return [one for one in list_in(payload, name) if isinstance(one, Mapping)]


def agent_in(session_key: str) -> str:
    parts = session_key.split(":")
    return parts[1] if len(parts) > 2 and parts[0] == "agent" else ""


@contextlib.asynccontextmanager
async def changing(gateway_id: UUID) -> AsyncIterator[None]:
    """Wait for one's turn to change a gateway's configuration. No transaction may be open."""
    changes = _changes_of.setdefault(gateway_id, _Changes())
    changes.asked += 1
    try:
        async with changes.lock:
            if monotonic() >= changes.open_until:
                changes.are_made = False
                await asyncio.sleep(changes.ended_at + QUIET_SECONDS + MESSAGES_SECONDS - monotonic())
                changes.open_until = monotonic() + TOGETHER_SECONDS
            changes.are_made = True
            await asyncio.gather(*(one.wait() for one in changes.beginning.values()))
            yield
            _note_change(changes)
    finally:
        changes.asked -= 1
        changes.are_made = changes.are_made and changes.asked > 0


def _note_change(changes: _Changes) -> None:
    changes.ended_at = monotonic()
    # Then messages that waited are sent.
    asyncio.get_running_loop().call_later(QUIET_SECONDS, wakeup_channels.channels_notify, [leases.CHANNEL])


async def on_config_changed(gateway: GatewayRef, payload: Mapping[str, object]) -> None:
    """Note that a gateway loads its configuration anew, by anybody's change."""
    _note_change(_changes_of.setdefault(gateway.id, _Changes()))


def message_pause(gateway_id: UUID) -> float:
    if (changes := _changes_of.get(gateway_id)) is None:
        return 0.0
    return QUIET_SECONDS if changes.are_made else max(0.0, changes.ended_at + QUIET_SECONDS - monotonic())


async def send_message(gateway_id: UUID, message: Mapping[str, Any], *, seconds: float = CALL_SECONDS) -> Any:
    """Send a message to an agent; no change of the configuration is made before its turn has begun."""
    key = str(message["idempotencyKey"])
    _changes_of.setdefault(gateway_id, _Changes()).beginning.setdefault(key, asyncio.Event())
    asyncio.get_running_loop().call_later(BEGINNING_SECONDS, turn_began, gateway_id, key)
    try:
        return await call(gateway_id, "chat.send", message, seconds=seconds)
    except GatewayError:
        turn_began(gateway_id, key)
        raise


def turn_began(gateway_id: UUID, run_id: str) -> None:
    if (changes := _changes_of.get(gateway_id)) is not None:
        if (begun := changes.beginning.pop(run_id, None)) is not None:
            begun.set()


def is_missing(error: GatewayError) -> bool:
    return error.code in ("INVALID_REQUEST", "NOT_FOUND") and Said.AGENT_MISSING.search(error.message) is not None


async def listed(gateway_id: UUID, *, seconds: float = CALL_SECONDS) -> dict[str, dict[str, Any]]:
    found = await call(gateway_id, "agents.list", seconds=seconds)
    known = [agent for agent in mappings_in(found, "agents") if isinstance(agent.get("id"), str)]
    return {agent["id"]: {**agent, "main_key": found.get("mainKey")} for agent in known}


async def read_file(gateway_id: UUID, agent_id: str, name: str) -> tuple[str | None, str | None]:
    try:
        found = await call(gateway_id, "agents.files.get", {"agentId": agent_id, "name": name})
    except GatewayError as error:
        if Said.FILE_UNSUPPORTED.search(error.message):
            return None, None
        raise
    file = found.get("file", found) if isinstance(found, dict) else {"content": found}
    if not isinstance(file, dict) or file.get("missing"):
        return None, None
    content, digest = file.get("content"), file.get("hash")
    return (content if isinstance(content, str) else None), (digest if isinstance(digest, str) else None)


async def ensure_session(gateway_id: UUID, key: str, name: str, unique: str) -> str:
    """Create a session where it is missing and label it; another one may have the name, then it is made unique."""
    labels = (name, f"{name} · {unique[:8]}", f"{name} · {unique}")
    for label in labels:
        try:
            await call(gateway_id, "sessions.patch", {"key": key, "label": label})
        except GatewayError as error:
            if label == labels[-1] or not Said.LABEL_TAKEN.search(error.message):
                raise
        else:
            return label
    raise AssertionError("unreachable")


async def end_turns(gateway_id: UUID, agent_id: str, session_key: str, *, seconds: float = CALL_SECONDS) -> int:
    """End what an agent does in its sessions now; return how many turns that were. Raises GatewayError."""
    ended = await _end_turn(gateway_id, session_key, seconds)
    try:
        found = await call(gateway_id, "sessions.list", {"agentId": agent_id}, seconds=seconds)
    except GatewayError as error:
        if error.is_retryable:
            raise
        return ended  # an old gateway does not list by agent
    for session in mappings_in(found, "sessions"):
        key = str(session.get("key"))
        if session.get("hasActiveRun") and key != session_key and key.startswith(f"agent:{agent_id}:"):
            ended += await _end_turn(gateway_id, key, seconds)
    return ended


async def _end_turn(gateway_id: UUID, session_key: str, seconds: float) -> int:
    return len(list_in(await call(gateway_id, "chat.abort", {"sessionKey": session_key}, seconds=seconds), "runIds"))


Config = Mapping[str, Any]


# What Mission Control wants in a gateway's configuration for its agents, as a patch that changes nothing else. Newer
# gateways keep agents in a map (`agents.entries`), older ones in a list (`agents.list`). A patch can restart an old
# gateway: where nothing differs there is none. No agent gets a heartbeat block: as soon as one agent of a gateway has
# one, the gateway beats only those that have one, and its owner's own agents fall silent. Blocks that earlier versions
# wrote are removed.
def config_patch(config: Config, agents: Sequence[Agent]) -> dict[str, object] | None:
    present = mapping(config.get("agents"))
    by_id = {str(agent.gateway_agent_id): agent for agent in agents}
    if "entries" in present or "list" not in present:
        entries = mapping(present.get("entries"))
        changes = {
            key: _changes(agent, entry := mapping(entries.get(key))) | _name(agent, entry)
            for key, agent in by_id.items()
        }
        found = {key: changed for key, changed in changes.items() if changed}
        return {"agents": {"entries": found}} if found else None
    before = [mapping(one) for one in present.get("list") or ()]
    # The whole list, of which a patch merges the entries by their ids. Those of other agents stay.
    after = [{**one, **_changes(by_id[key], one)} if (key := str(one.get("id"))) in by_id else one for one in before]
    known = {str(one.get("id")) for one in before}
    after += [{"id": key, **_changes(agent, {})} for key, agent in by_id.items() if key not in known]
    patch: dict[str, Any] = {"agents": {"list": after}} if after != before else {}
    return patch | _exec_host(config) or None


def with_heartbeat(config: Config) -> set[str]:
    agents = mapping(config.get("agents"))
    entries = {**_listed_in(config), **mapping(agents.get("entries"))}
    return {key for key, one in entries.items() if "heartbeat" in mapping(one)}


def _listed_in(config: Config) -> dict[str, Config]:
    return {str(mapping(one).get("id")): mapping(one) for one in mapping(config.get("agents")).get("list") or ()}


def _changes(agent: Agent, present: Config) -> dict[str, object]:
    """Return what differs in one entry; null removes a field."""
    changed: dict[str, Any] = {"heartbeat": None} if "heartbeat" in present else {}
    folder, workspace = present.get("workspace"), agent.workspace_path or ""
    # A gateway answers with its home folder in place of a `~`.
    is_home = isinstance(folder, str) and workspace.startswith("~/") and folder.endswith(workspace[1:])
    return changed if is_home or folder == workspace else changed | {"workspace": workspace}


def _name(agent: Agent, present: Config) -> dict[str, object]:
    return {} if present.get("name") == agent.name else {"name": agent.name}


def _exec_host(config: Config) -> dict[str, object]:
    """Return where commands run, if that is open: an old gateway would look for a sandbox that is switched off.

    Where a sandbox is on, commands stay in it. Newer gateways find the right place themselves.
    """
    execs = mapping(mapping(config.get("tools")).get("exec"))
    defaults = mapping(mapping(config.get("agents")).get("defaults"))
    if execs.get("host") or mapping(defaults.get("sandbox")).get("mode") not in (None, "off"):
        return {}
    return {"tools": {"exec": {"host": "gateway"}}}


TRIES = 5
# So many seconds lie between two patches: jobs that come in between share the next one.
PAUSE_SECONDS = 2.1

type _Wish = tuple[Agent, asyncio.Future[bool]]
_wishes: dict[UUID, list[_Wish]] = {}
_writing: dict[UUID, asyncio.Task[None]] = {}
_patched_at: dict[UUID, float] = {}


# Write agents' entries into the configuration of a gateway, those of several agents in one patch. A gateway takes 30
# patches a minute, and each one reloads it: jobs that come to this step while a patch is on its way are served by the
# next one together.
async def write(gateway_id: UUID, agent: Agent) -> bool:
    """Bring an agent's entry up to date. Return False when it was already. Raises GatewayError."""
    done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    _wishes.setdefault(gateway_id, []).append((agent, done))
    if gateway_id not in _writing:
        _writing[gateway_id] = asyncio.create_task(_write_all(gateway_id))
    return await done


@when_connected
async def heal(gateway: GatewayRef) -> None:
    """Take back the heartbeats that earlier versions wrote, which keep the owner's own agents from beating."""
    ours = await Agent.filter(gateway_id=gateway.id, is_adopted=False)
    if not ours:
        return
    beating = with_heartbeat(_config_of(await call(gateway.id, "config.get")))
    wanted = [agent for agent in ours if agent.gateway_agent_id in beating]
    await asyncio.gather(*(write(gateway.id, agent) for agent in wanted))


async def _write_all(gateway_id: UUID) -> None:
    try:
        while _wishes.get(gateway_id):
            await asyncio.sleep(_patched_at.get(gateway_id, 0.0) + PAUSE_SECONDS - asyncio.get_running_loop().time())
            async with changing(gateway_id):
                wishes = [one for one in _wishes.pop(gateway_id, []) if not one[1].done()]
                await _answer(gateway_id, wishes)
    finally:
        del _writing[gateway_id]
        for _, done in _wishes.pop(gateway_id, []):
            done.cancel()


async def _answer(gateway_id: UUID, wishes: list[_Wish]) -> None:
    try:
        wrote = await _patch(gateway_id, [agent for agent, _ in wishes]) if wishes else False
    except Exception as error:
        for _, done in wishes:
            if not done.done():
                done.set_exception(error)
        return
    for _, done in wishes:
        if not done.done():
            done.set_result(wrote)


async def _patch(gateway_id: UUID, agents: list[Agent]) -> bool:
    """Patch the configuration, unless it is as it should be: a patch reloads the gateway."""
    has_written = False
    for remaining in reversed(range(TRIES)):
        found = await call(gateway_id, "config.get")
        config = _config_of(found)
        patch = config_patch(config, agents)
        listed = _listed_in(config)  # an old gateway: a patch may restart it, another name does not
        for agent in agents:
            key = str(agent.gateway_agent_id)
            if key in listed and _name(agent, listed[key]):
                await call(gateway_id, "agents.update", {"agentId": key, "name": agent.name})
        if patch is None:
            return has_written
        base = {"baseHash": found["hash"]} if found.get("hash") else {}
        _patched_at[gateway_id] = asyncio.get_running_loop().time()
        try:
            await call(gateway_id, "config.patch", {"raw": to_json(patch).decode(), **base})
        except GatewayError as error:
            is_stored = Said.CONFIG_STORED.search(error.message) is not None
            if not (remaining and (is_stored or Said.CONFIG_STALE.search(error.message))):
                raise
            if is_stored:
                has_written = True
                await asyncio.sleep(PAUSE_SECONDS)
        else:
            return True
    raise AssertionError("unreachable")


def _config_of(found: Mapping[str, object]) -> Mapping[str, Any]:
    for name in ("config", "parsed"):
        if isinstance(config := found.get(name), dict):
            return config
    return {}


HANDLERS = Handlers({"config.changed": on_config_changed})
