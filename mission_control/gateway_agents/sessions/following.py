"""Follow runs in the process that has a gateway's connection, for the pages that watch a session."""

import asyncio
import contextlib
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

from mission_control.background.loops import Loop
from mission_control.core import times
from mission_control.core.extensions import Hook
from mission_control.core.text.masking import Mask
from mission_control.core.values import JsonObject, to_json
from mission_control.database.sql import rows
from mission_control.events import leases, wakeup_channels
from mission_control.events.reader_wakeups import publish_signal, publish_wakeup
from mission_control.events.wakeup_channels import on_notify_family
from mission_control.gateway_agents.provisioning.gateway_agent import agent_in, turn_began
from mission_control.gateway_agents.sessions import feed as session_feed
from mission_control.gateway_agents.sessions.reading import mask_of
from mission_control.gateway_agents.sessions.transcript import ENDINGS, Part, Run
from mission_control.gateways.connections.events import GatewayRef, when_connected
from mission_control.gateways.protocol.payload import Payload

FAMILY = "gateway-session"
REPEAT_SECONDS = 10.0
WATCHED_SECONDS = 30.0
MOST_WATCHED = 10_000
LIST = ""  # instead of a session key: the list of a gateway's sessions

_log = logging.getLogger(__name__)
_here: Counter[str] = Counter()
_until: dict[str, float] = {}


def watch_id(gateway_id: UUID, session_key: str) -> str:
    return sha256(f"{gateway_id}\n{session_key}".encode()).hexdigest()[:32]


def is_watched_here(watch: str) -> bool:
    return _here[watch] > 0


def is_watched(watch: str) -> bool:
    return _until.get(watch, 0.0) > time.monotonic()


async def keep_watch(watch: str, ended: Callable[[str], None]) -> None:
    """Watch a session until cancelled. `ended` is called when nobody in this process watches it any longer."""
    _here[watch] += 1
    try:
        await _publish(watch, "begin")
        while True:
            await asyncio.sleep(REPEAT_SECONDS)
            await _publish(watch, "repeat")
    finally:
        _here[watch] -= 1
        if _here[watch] <= 0:
            del _here[watch]
            ended(watch)


async def _publish(watch: str, word: str) -> None:
    try:
        await publish_wakeup(f"{FAMILY}:{watch}:{word}")
    except Exception:  # the next repetition makes up for it
        _log.warning("a watched session could not be announced", exc_info=True)


TURN_PACE_SECONDS = 0.3
SIGN = "last_seen_at = CASE WHEN last_seen_at IS NULL OR checkin_deadline_at IS NOT NULL THEN last_seen_at ELSE ? END"

_storing: dict[tuple[UUID, str], asyncio.Task[None]] = {}


async def _store(gateway: GatewayRef, agent: str, is_in_turn: Callable[[], bool]) -> None:
    """Store it again where it changed during the write: one after the other, so that the newest is what stays."""
    try:
        stored = None
        while stored != is_in_turn():
            await asyncio.sleep(TURN_PACE_SECONDS)
            stored = is_in_turn()
            await _write(gateway, agent, stored)
    except Exception:
        _log.exception("storing the turns of an agent of gateway %s failed", gateway.id)
    finally:
        del _storing[gateway.id, agent]


async def _write(gateway: GatewayRef, agent: str, is_begun: bool) -> None:
    began, also = ("?, ", " AND run_began_at IS NULL") if is_begun else ("NULL, ", "")
    sql = (
        f"UPDATE agents SET run_began_at = {began}{SIGN} WHERE gateway_id = ? AND gateway_agent_id = ?{also}"
        " RETURNING id, board_id"
    )
    changed = await rows(sql, *[times.clock_now()] * (1 + is_begun), gateway.id, agent)
    for row in changed:
        await publish_signal(gateway.organization_id, agent_id=str(row["id"]), board_id=str(row["board_id"]))
    if changed and not is_begun:  # notes may have waited for the end of the turn
        wakeup_channels.channels_notify([leases.CHANNEL])


PACE_SECONDS = 0.1
SECONDS_PER_CHARACTER = 1 / 100_000
PIECE_BYTES = 5_000
TOOL_BYTES = 1_200
LIST_SECONDS = 1.0
RUN_SECONDS = 3_600.0
MOST_SESSIONS, MOST_RUNS, LONGEST_KEY, LONGEST_FAILURE = 2_000, 50, 512, 2_000


@dataclass(slots=True)
class Followed:
    """A session with its present runs, and what of them was sent to pages already."""

    gateway: GatewayRef
    key: str
    watch: str
    runs: dict[str, Run] = field(default_factory=dict)
    sent: dict[tuple[str, int], str] = field(default_factory=dict)
    at: float = field(default_factory=time.monotonic)
    flushed_at: float = 0.0
    is_state_new: bool = False
    failure: str = ""
    flushing: asyncio.Task[None] | None = None


# Called with the session, the run and the reason when a turn failed, with no reason when it gave way to another.
when_failed = Hook[Callable[[GatewayRef, str, str, str], None]]()

GAVE_WAY = "superseded", "restart"  # nobody stopped the turn
SILENT = "It did not say why."

_followed: dict[str, Followed] = {}
_ended: deque[str] = deque(maxlen=1_000)
_lists: dict[str, asyncio.Task[None]] = {}
_numbers = {"last": 0}


async def on_chat(gateway: GatewayRef, payload: Payload) -> None:
    run = _run_of(gateway, payload)
    if run is None:
        return
    session, state = _session_of(gateway, payload), payload.get("state")
    if state == "delta":
        run.chat_delta(payload)
    elif state == "status":
        run.agent_event("run_status", payload)
    elif state in ENDINGS:
        failure = (payload.text("errorMessage") or SILENT) if state == "error" else ""
        _end(session, run.id, failure, payload.get("stopReason"))
    _plan(session)


async def on_agent(gateway: GatewayRef, payload: Payload) -> None:
    run, stream = _run_of(gateway, payload), payload.text("stream")
    if run is None or not isinstance(payload.get("data"), dict):
        return
    session, data = _session_of(gateway, payload), payload.inner("data")
    turn_began(gateway.id, run.id)
    run.agent_event(stream, data)
    if stream in ("tool", "item"):
        session_feed.note_tool(gateway, session.key, run, data)
    if stream == "lifecycle" and data.get("phase") in ("end", "error"):
        has_failed = data["phase"] == "error" and data.get("aborted") is not True
        failure = (data.text("error") or SILENT) if has_failed else ""
        _end(session, run.id, failure, data.get("stopReason"))
    _plan(session)


@when_connected
async def on_connected(gateway: GatewayRef) -> None:
    """Forget the runs from before a gateway was connected, whose ends may have been missed, and let pages read.

    Those of which the gateway says that they go on begin again with their next event.
    """
    await rows("UPDATE agents SET run_began_at = NULL WHERE gateway_id = ? AND run_began_at IS NOT NULL", gateway.id)
    await publish_signal(gateway.organization_id, gateway_back=str(gateway.id))
    for watch, session in list(_followed.items()):
        if session.gateway.id == gateway.id:
            _followed.pop(watch)
            session.runs.clear()
            session.is_state_new = True
            _plan(session)
    await session_feed.end_missed(gateway)


@on_notify_family(FAMILY)
def on_watch(channel: str) -> None:
    """Note that a session is watched, and send a page that begins to watch it everything about its runs."""
    _, watch, word = channel.split(":")
    moment = time.monotonic()
    if len(_until) >= MOST_WATCHED:
        for expired in [watch for watch, until in _until.items() if until <= moment]:
            del _until[expired]
    _until[watch] = moment + WATCHED_SECONDS
    if word == "begin" and (session := _followed.get(watch)) is not None:
        session.sent.clear()
        session.is_state_new = True
        for run in session.runs.values():
            run.changed.update(range(len(run.parts)))
        _plan(session)


def _session_of(gateway: GatewayRef, payload: Payload) -> Followed:
    key = str(payload["sessionKey"])
    watch = watch_id(gateway.id, key)
    session = _followed.get(watch)
    if session is None:
        if (spare := len(_followed) - MOST_SESSIONS) > 0:  # the oldest of this gateway go first
            _drop(sorted(_followed.values(), key=lambda it: (it.gateway.id != gateway.id, it.at))[:spare])
        session = _followed[watch] = Followed(gateway, key, watch)
    session.at = time.monotonic()
    return session


def _run_of(gateway: GatewayRef, payload: Payload) -> Run | None:
    run_id, key = payload.string("runId"), payload.string("sessionKey")
    if not run_id or not key or run_id in _ended or max(len(run_id), len(key)) > LONGEST_KEY:
        return None
    session = _session_of(gateway, payload)
    if run_id not in session.runs:
        if len(session.runs) >= MOST_RUNS:
            _forget_run(session, next(iter(session.runs)))
        session.runs[run_id] = Run(run_id)
        session_feed.note(gateway, key, session.runs[run_id], "begin", "RUN_STARTED")
        session.is_state_new = True
        session.failure = ""
        _plan_list(gateway)
        _note_turn(session)
    return session.runs[run_id]


def _end(session: Followed, run_id: str, failure: str, stop_reason: object) -> None:
    _ended.append(run_id)
    session_feed.note_end(session.gateway, session.key, session.runs[run_id], failure)
    _forget_run(session, run_id)
    session.is_state_new = True
    session.failure = failure[:LONGEST_FAILURE]
    _plan_list(session.gateway)
    _note_turn(session)
    turn_began(session.gateway.id, run_id)
    if failure or stop_reason in GAVE_WAY:
        for note in when_failed.functions:
            note(session.gateway, session.key, run_id, failure)


def _note_turn(session: Followed) -> None:
    """Have it stored soon whether the session's agent is in a turn, in this session or in another."""
    gateway, agent = session.gateway, agent_in(session.key)

    def is_in_turn() -> bool:
        ours = (other for other in _followed.values() if other.gateway.id == gateway.id)
        return any(other.runs for other in ours if agent_in(other.key) == agent)

    if agent and (gateway.id, agent) not in _storing:
        _storing[gateway.id, agent] = asyncio.create_task(_store(gateway, agent, is_in_turn))


def _forget_run(session: Followed, run_id: str) -> None:
    session.runs.pop(run_id, None)
    session.sent = {place: text for place, text in session.sent.items() if place[0] != run_id}


async def drop_silent() -> None:
    """Forget sessions without news for an hour: their turns hang, and their agents count as silent from then on."""
    moment = time.monotonic()
    _drop(session for session in list(_followed.values()) if moment - session.at > RUN_SECONDS)


DROPPING = Loop(name="forgetting silent sessions", look=drop_silent, pause=60.0)


def _drop(sessions: Iterable[Followed]) -> None:
    for session in sessions:
        _followed.pop(session.watch, None)
        _note_turn(session)


def _plan(session: Followed) -> None:
    if is_watched(session.watch):
        if session.flushing is None or session.flushing.done():
            session.flushing = asyncio.create_task(_flush(session))
        return
    session.is_state_new = False
    for run in session.runs.values():
        run.changed.clear()


async def _flush(session: Followed) -> None:
    try:
        while session.is_state_new or any(run.changed or run.has_new_status for run in session.runs.values()):
            length = sum(len(part.text) for run in session.runs.values() for part in run.parts)
            pause = session.flushed_at + PACE_SECONDS + length * SECONDS_PER_CHARACTER - time.monotonic()
            await asyncio.sleep(max(0.0, pause))
            session.flushed_at = time.monotonic()
            await _send_all(session, await mask_of(session.gateway.id))
    except Exception:
        _log.exception("telling pages about a session of gateway %s failed", session.gateway.id)


async def _send_all(session: Followed, mask: Mask) -> None:
    if session.is_state_new:
        session.is_state_new = False
        failure = fitted(mask.text(session.failure), TOOL_BYTES)
        await _send(session, runs={run.id: run.is_whole for run in session.runs.values()}, failure=failure)
    for run in list(session.runs.values()):
        changed, run.changed, run.has_new_status = sorted(run.changed), set(), False
        state = {"run": run.id, "status": run.status, "whole": run.is_whole}
        if not changed:
            await _send(session, **state)
        for index in changed:
            for piece in pieces(run.parts[index], session.sent, (run.id, index), mask):
                await _send(session, **state, index=index, **piece)


async def _send(session: Followed, **signal: object) -> None:
    _numbers["last"] = number = max(_numbers["last"] + 1, int(times.epoch_seconds() * 1_000_000))
    await publish_signal(session.gateway.organization_id, gateway_session=session.watch, number=number, **signal)


def pieces(part: Part, sent: dict[tuple[str, int], str], place: tuple[str, int], mask: Mask) -> list[JsonObject]:
    if part.kind == "tool":
        result = None if part.result is None else fitted(mask.text(part.result), TOOL_BYTES)
        return [
            {
                "kind": "tool", "id": part.id[:200], "name": mask.text(part.name)[:100], "result": result, "at": 0,
                "text": fitted(mask.text(part.text), TOOL_BYTES), "done": part.is_done, "error": part.is_error,
            }
        ]  # fmt: skip
    text, before = mask.growing(part.text), sent.get(place, "")
    pairs = enumerate(zip(before, text, strict=False))
    at = len(before) if text.startswith(before) else next((at for at, (a, b) in pairs if a != b), len(text))
    sent[place] = text
    stretches: list[JsonObject] = []
    while at < len(text) or not stretches:
        stretch = fitted(text[at:], PIECE_BYTES, ending="")
        stretches.append({"kind": "text", "id": part.id[:200], "at": at, "text": stretch})
        at += max(1, len(stretch))
    return stretches


def fitted(text: str, most_bytes: int, ending: str = "…") -> str:
    if len(text) * 6 <= most_bytes or len(to_json(text)) <= most_bytes:
        return text
    low, high = 0, min(len(text), most_bytes)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(to_json(text[:middle])) <= most_bytes else (low, middle - 1)
    return text[:low] + ending


def _plan_list(gateway: GatewayRef) -> None:
    watch = watch_id(gateway.id, LIST)
    if is_watched(watch) and (watch not in _lists or _lists[watch].done()):

        async def tell() -> None:
            await asyncio.sleep(LIST_SECONDS)
            with contextlib.suppress(Exception):
                await publish_signal(gateway.organization_id, gateway_sessions=watch)

        _lists[watch] = asyncio.create_task(tell())
