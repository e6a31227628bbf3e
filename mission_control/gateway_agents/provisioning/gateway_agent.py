"""An agent as its gateway knows it: calls that several steps share, and its entry in the configuration."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.core.times import monotonic
from mission_control.core.values import JsonObject, to_json
from mission_control.events import leases, wakeup_channels
from mission_control.gateways.connections import connector
from mission_control.gateways.connections.events import GatewayRef, Handlers, when_connected
from mission_control.gateways.protocol.errors import GatewayError, Said
from mission_control.gateways.protocol.heartbeats import config_in, entries_of, listed_entries
from mission_control.gateways.protocol.payload import Payload

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
    gateway_id: UUID, method: str, params: JsonObject | None = None, *, seconds: float = CALL_SECONDS
) -> Payload:
    return Payload.of(await connector.call(gateway_id, method, params or {}, seconds=seconds))


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
            await asyncio.gather(*(run.wait() for run in changes.beginning.values()))
            yield
            _note_change(changes)
    finally:
        changes.asked -= 1
        changes.are_made = changes.are_made and changes.asked > 0


def _note_change(changes: _Changes) -> None:
    changes.ended_at = monotonic()
    # Then messages that waited are sent.
    asyncio.get_running_loop().call_later(QUIET_SECONDS, wakeup_channels.channels_notify, [leases.CHANNEL])


async def on_config_changed(gateway: GatewayRef, payload: Payload) -> None:
    """Note that a gateway loads its configuration anew, by anybody's change."""
    _note_change(_changes_of.setdefault(gateway.id, _Changes()))


def message_pause(gateway_id: UUID) -> float:
    if (changes := _changes_of.get(gateway_id)) is None:
        return 0.0
    return QUIET_SECONDS if changes.are_made else max(0.0, changes.ended_at + QUIET_SECONDS - monotonic())


async def send_message(gateway_id: UUID, message: JsonObject, *, seconds: float = CALL_SECONDS) -> Payload:
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


@dataclass(frozen=True, slots=True)
class ListedAgent:
    """An agent as its gateway lists it; `main_key` names the main sessions of all its agents."""

    id: str
    workspace: str | None
    name: str
    model: str | None
    kind: str
    main_key: str

    @classmethod
    def of(cls, agent: Payload, main_key: str) -> "ListedAgent":
        model = agent.string("model") or agent.inner("model").string("primary")
        name, workspace = agent.text("name", "id"), agent.string("workspace")
        return cls(agent["id"], workspace, name, model, agent.text("kind"), main_key)


async def listed(gateway_id: UUID, *, seconds: float = CALL_SECONDS) -> dict[str, ListedAgent]:
    answer = await call(gateway_id, "agents.list", seconds=seconds)
    agents = [agent for agent in answer.objects("agents") if agent.string("id") is not None]
    return {agent["id"]: ListedAgent.of(agent, answer.text("mainKey") or "main") for agent in agents}


async def read_file(gateway_id: UUID, agent_id: str, name: str) -> tuple[str | None, str | None]:
    """Read the content, and its hash where the gateway knows hashes."""
    try:
        params = {"agentId": agent_id, "name": name}
        answer = await connector.call(gateway_id, "agents.files.get", params, seconds=CALL_SECONDS)
    except GatewayError as error:
        if Said.FILE_UNSUPPORTED.search(error.message):
            return None, None
        raise
    if not isinstance(answer, dict):
        return (answer if isinstance(answer, str) else None), None
    file = Payload.of(answer.get("file", answer))
    return (None, None) if file.get("missing") else (file.string("content"), file.string("hash"))


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
        answer = await call(gateway_id, "sessions.list", {"agentId": agent_id}, seconds=seconds)
    except GatewayError as error:
        if error.is_retryable:
            raise
        return ended  # an old gateway does not list by agent
    for session in answer.objects("sessions"):
        key = str(session.get("key"))
        if session.get("hasActiveRun") and key != session_key and key.startswith(f"agent:{agent_id}:"):
            ended += await _end_turn(gateway_id, key, seconds)
    return ended


async def _end_turn(gateway_id: UUID, session_key: str, seconds: float) -> int:
    answer = await call(gateway_id, "chat.abort", {"sessionKey": session_key}, seconds=seconds)
    return len(answer.items_of("runIds"))


# What Mission Control wants in a gateway's configuration for its agents, as a patch that changes nothing else. Newer
# gateways keep agents in a map (`agents.entries`), older ones in a list (`agents.list`). A patch can restart an old
# gateway: where nothing differs there is none. No agent gets a heartbeat block: as soon as one agent of a gateway has
# one, the gateway beats only those that have one, and its owner's own agents fall silent. Blocks that earlier versions
# wrote are removed.
def config_patch(config: Payload, agents: Sequence[Agent]) -> JsonObject | None:
    present = config.inner("agents")
    by_id = {str(agent.gateway_agent_id): agent for agent in agents}
    if "list" in present and "entries" not in present:
        return _patch_of_list(config, by_id)
    entries = present.inner("entries")
    changes = {key: _entry_changes(agent, entries.inner(key), with_name=True) for key, agent in by_id.items()}
    changed = {key: entry for key, entry in changes.items() if entry}
    return {"agents": {"entries": changed}} if changed else None


def _patch_of_list(config: Payload, by_id: dict[str, Agent]) -> JsonObject | None:
    """Return the whole list, of which a patch merges the entries by their ids. Those of other agents stay."""
    before = config.inner("agents").objects("list")
    after, missing = list[JsonObject](), dict(by_id)
    for entry in before:
        agent = by_id.get(key := str(entry.get("id")))
        after.append(entry if agent is None else entry | _entry_changes(agent, entry))
        missing.pop(key, None)
    after += [{"id": key, **_entry_changes(agent, Payload())} for key, agent in missing.items()]
    patch: JsonObject = {"agents": {"list": after}} if after != before else {}
    return patch | _exec_host(config) or None


def with_heartbeat(config: Payload) -> set[str]:
    return {key for key, entry in entries_of(config).items() if "heartbeat" in entry}


def _entry_changes(agent: Agent, entry: Payload, *, with_name: bool = False) -> JsonObject:
    """Compare one entry; null removes a field."""
    changed: JsonObject = {"heartbeat": None} if "heartbeat" in entry else {}
    folder, workspace = entry.get("workspace"), agent.workspace_path or ""
    # A gateway answers with its home folder in place of a `~`.
    is_home = isinstance(folder, str) and workspace.startswith("~/") and folder.endswith(workspace[1:])
    if not is_home and folder != workspace:
        changed["workspace"] = workspace
    if with_name and entry.get("name") != agent.name:
        changed["name"] = agent.name
    return changed


def _exec_host(config: Payload) -> JsonObject:
    """Return where commands run, if that is open: an old gateway would look for a sandbox that is switched off.

    Where a sandbox is on, commands stay in it. Newer gateways find the right place themselves.
    """
    host = config.inner("tools").inner("exec").get("host")
    sandbox = config.inner("agents").inner("defaults").inner("sandbox").get("mode")
    return {} if host or sandbox not in (None, "off") else {"tools": {"exec": {"host": "gateway"}}}


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
    beating = with_heartbeat(config_in(await call(gateway.id, "config.get")))
    await asyncio.gather(*(write(gateway.id, agent) for agent in ours if agent.gateway_agent_id in beating))


async def _write_all(gateway_id: UUID) -> None:
    try:
        while _wishes.get(gateway_id):
            await asyncio.sleep(_patched_at.get(gateway_id, 0.0) + PAUSE_SECONDS - asyncio.get_running_loop().time())
            async with changing(gateway_id):
                wishes = [(agent, done) for agent, done in _wishes.pop(gateway_id, []) if not done.done()]
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
        answer = await call(gateway_id, "config.get")
        config = config_in(answer)
        await _rename(gateway_id, listed_entries(config), agents)
        patch = config_patch(config, agents)
        if patch is None:
            return has_written
        base = {"baseHash": answer["hash"]} if answer.get("hash") else {}
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


async def _rename(gateway_id: UUID, entries: dict[str, Payload], agents: list[Agent]) -> None:
    """Rename agents of an old gateway, which a patch may restart and another name does not."""
    for agent in agents:
        entry = entries.get(str(agent.gateway_agent_id))
        if entry is not None and entry.get("name") != agent.name:
            await call(gateway_id, "agents.update", {"agentId": str(agent.gateway_agent_id), "name": agent.name})


HANDLERS = Handlers({"config.changed": on_config_changed})
