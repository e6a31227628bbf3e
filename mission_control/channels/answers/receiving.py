"""What comes from providers: requests to our address of a channel, and what channels fetch themselves."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from quart import Blueprint, Response, abort, jsonify, request
from quart.typing import ResponseReturnValue

from mission_control.background.loops import Loop
from mission_control.channels.addresses import PRESSED, line_with
from mission_control.channels.answers.presses import Pressed, press, take_words
from mission_control.channels.channel import (
    CHANNELS,
    Channel,
    Incoming,
    Later,
    Line,
    NotSigned,
    Press,
    Received,
    Refused,
)
from mission_control.channels.devices.codes import is_code, take_code
from mission_control.channels.models import ReachChannel
from mission_control.channels.queries import note_failing, note_working
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.current_app import inside
from mission_control.core.settings import ConfigError
from mission_control.core.values import fingerprint
from mission_control.database.records import find_all
from mission_control.database.sql import in_list, is_postgres, rows
from mission_control.events.commands import command
from mission_control.events.wakeup_channels import PROCESS, on_notify
from mission_control.http.body_limit import admit_body
from mission_control.http.proxies import client_ip, rate_limit_key

LISTENING = "reach_channels"  # notified when a channel was set up, changed or removed
LEASE = timedelta(seconds=30)
RENEW_SECONDS, IDLE_SECONDS = 10.0, 60.0
PATIENCE = timedelta(minutes=10)  # a provider that is away for longer is said to fail
RETRY_SECONDS, LONGEST_RETRY_SECONDS, REFUSED_SECONDS = 3.0, 60.0, 300.0
MOST_BYTES = 256 * 1024
FAILED = "That did not work, and nothing was done. Try again, or open Mission Control."

_log = logging.getLogger(__name__)

pages = Blueprint("reach_receiving", __name__)


@pages.post("/reach/in/<uuid:channel_id>")
async def receive(channel_id: UUID) -> ResponseReturnValue:
    """Take what a provider tells us; 401 for what it did not sign, 404 for a channel that is none or off."""
    admit_body()  # the signature is the credential
    found = await ReachChannel.get_or_none(id=channel_id)
    channel = CHANNELS.get(found.kind) if found is not None else None
    if found is None or channel is None or found.state == "off":
        abort(404)
    body: bytes = await request.get_data(False, False, False)
    if len(body) > MOST_BYTES:
        abort(413)
    line = line_with(found)
    try:
        reception = await channel.receive(line, Incoming(dict(request.headers), body, times.epoch_seconds()))
    except NotSigned:
        abort(401)
    if reception.received is None:
        return _answer(reception.answer)
    if reception.answers_press and isinstance(reception.received, Press):
        return _answer(channel.in_answer(await _words_for(found, channel, line, reception.received)))
    # Acknowledged at once: providers wait a few seconds only, and people press again when nothing happens.
    LISTENERS.begin(_take(found, channel, line, reception.received))
    return _answer(reception.answer)


def _answer(answer: object) -> ResponseReturnValue:
    return Response("", 200) if answer is None else jsonify(answer)


@pages.post(PRESSED)
async def pressed() -> ResponseReturnValue:
    """Take the token of a button from where nobody vouches for who pressed it: all who read the topic may."""
    admit_body()  # the token is the credential
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    done = Pressed("Send the token.")
    if scheme.lower() == "bearer":
        done = await press(token.strip(), kind="ntfy", counts=rate_limit_key(client_ip()))
    return jsonify({"is_given": done.is_given, "message": done.words}), 200 if done.is_given else 409


async def _words_for(channel: ReachChannel, kind: Channel, line: Line, received: Received) -> str:
    """Take a press, words that one waits for, or a code; return what its sender is told, if anything.

    What fails for a reason of ours is said, too, and holds up no other.
    """
    try:
        if isinstance(received, Press):
            who, is_vouched = received.who, received.is_vouched
            return (
                await press(received.token, kind=channel.kind, who=who, channel_id=channel.id, is_vouched=is_vouched)
            ).words
        if not is_code(received.text) and (words := await take_words(channel, received)) is not None:
            return words
        return await take_code(channel, replace(received, name=await kind.name_of(line, received)))
    except Exception:
        _log.exception("what a provider brought could not be taken", extra={"about": str(channel.id)})
        return FAILED


async def _take(channel: ReachChannel, kind: Channel, line: Line, received: Received) -> None:
    """Answer a press or a code, and tell its sender how it went. What the provider does not take then is logged."""
    async with inside():
        words = await _words_for(channel, kind, line, received)
        try:
            if isinstance(received, Press):
                await kind.acknowledge(line, received, words)
            elif words:
                await kind.tell(line_with(channel, received.to or received.who), words)
        except (Refused, Later) as error:
            _log.warning("a provider did not take our reply: %s", error, extra={"about": str(channel.id)})


@dataclass(slots=True)
class _Listener:
    task: "asyncio.Task[None]"
    mark: str  # of the settings with which it listens


@dataclass(slots=True)
class _State:
    running: dict[UUID, _Listener] = field(default_factory=dict)
    has_channels: bool = True  # unknown before the first look, and after a notification


_state = _State()


@on_notify(LISTENING)
def channels_changed() -> None:
    """Look whether there is something to listen to."""
    _state.has_channels = True


async def look() -> float:
    """Listen to the channels that this process holds, and to no others; return the seconds until the next look."""
    listed, kinds = in_list([kind for kind, one in CHANNELS.items() if _listens(one)] or [""])
    if not _state.has_channels and not _state.running:
        return IDLE_SECONDS
    if not await _has_channels(listed, kinds) and not _state.running:
        return IDLE_SECONDS
    now = times.clock_now()
    await rows(
        "UPDATE reach_channels SET leased_by = ?, leased_until = ? WHERE state <> 'off' AND"
        f" (leased_by = ? OR leased_until IS NULL OR leased_until <= ?) AND kind IN ({listed})",
        PROCESS,
        now + LEASE,
        PROCESS,
        now,
        *kinds,
    )
    leased = await find_all(ReachChannel, f"leased_by = ? AND state <> 'off' AND kind IN ({listed})", PROCESS, *kinds)
    await _listen_to({channel.id: channel for channel in leased if await _is_wanted(channel)})
    return RENEW_SECONDS


async def _listen_to(channels: dict[UUID, ReachChannel]) -> None:
    """Stop listening to channels that are others now or no longer ours, and begin with the new ones."""
    for channel_id, listener in list(_state.running.items()):
        channel = channels.get(channel_id)
        if channel is None or listener.mark != _mark(channel) or listener.task.done():
            listener.task.cancel()
            await asyncio.gather(listener.task, return_exceptions=True)
            del _state.running[channel_id]
    for channel_id, channel in channels.items():
        if channel_id not in _state.running:
            task = asyncio.create_task(_listen(channel), name=f"listening to {channel.kind}")
            _state.running[channel_id] = _Listener(task, _mark(channel))


async def _is_wanted(channel: ReachChannel) -> bool:
    """Return whether there is something to listen to; one whose secrets cannot be read holds up no other."""
    try:
        return CHANNELS[channel.kind].listens(line_with(channel))
    except ConfigError as error:
        if channel.state == "on":
            await failing(system(channel.organization_id), channel, str(error))
        return False


async def _has_channels(listed: str, kinds: Sequence[str]) -> bool:
    """Return whether there is anything to listen to; one that is set up during the statement is not missed."""
    _state.has_channels, known = False, True
    try:
        known = bool(await rows(f"SELECT 1 AS one FROM reach_channels WHERE kind IN ({listed}) LIMIT 1", *kinds))
    finally:
        _state.has_channels = _state.has_channels or known
    return known


def _listens(channel: Channel) -> bool:
    return type(channel).listen is not Channel.listen


def _mark(channel: ReachChannel) -> str:
    return fingerprint(f"{channel.settings} {channel.secrets}")


async def _listen(channel: ReachChannel) -> None:
    """Listen to a channel until it is cancelled; a connection that ends is made again."""
    kind, failures = CHANNELS[channel.kind], 0
    away_since: datetime | None = None
    while True:
        pause = RETRY_SECONDS
        try:
            fresh = await ReachChannel.get_or_none(id=channel.id)
            if fresh is None:
                return
            if fresh.state == "failing":
                await kind.check(line_with(fresh))
                await works(system(fresh.organization_id), fresh)
                away_since = None
            await kind.listen(line_with(fresh), fresh.position, partial(_received, fresh, kind))
            failures, away_since = 0, None
        except Later as error:
            failures, away_since = failures + 1, away_since or times.clock_now()
            if times.clock_now() - away_since >= PATIENCE:
                await failing(system(channel.organization_id), channel, str(error))
            pause = error.seconds or min(RETRY_SECONDS * 2**failures, LONGEST_RETRY_SECONDS)
        except Refused as error:
            await failing(system(channel.organization_id), channel, str(error))
            pause = REFUSED_SECONDS
        except Exception:
            _log.exception("listening to a channel failed", extra={"about": str(channel.id)})
            pause = LONGEST_RETRY_SECONDS
        await asyncio.sleep(pause)


async def _received(channel: ReachChannel, kind: Channel, received: Received | None, position: str) -> None:
    """Take what was fetched, then remember how far: what was not taken to its end is fetched again."""
    if received is not None:
        await _take(channel, kind, line_with(channel), received)
    if position != channel.position:
        channel.position = position
        await rows("UPDATE reach_channels SET position = ? WHERE id = ?", position, channel.id)


@command("reach.keep")
async def works(actor: Actor, channel: ReachChannel) -> None:
    """Record that a channel works again."""
    await note_working(channel.id)


@command("reach.keep")
async def failing(actor: Actor, channel: ReachChannel, words: str) -> None:
    """Record that a channel does not work, with the provider's words."""
    await note_failing(channel.id, words)


async def take_over() -> None:
    """Let this process, the only one of a SQLite file, listen at once."""
    if not is_postgres():
        await rows("UPDATE reach_channels SET leased_until = NULL, leased_by = NULL")


async def stop() -> None:
    """Stop listening, and let another process do so at once."""
    for listener in _state.running.values():
        listener.task.cancel()
    await asyncio.gather(*(one.task for one in _state.running.values()), return_exceptions=True)
    if _state.running:
        _state.running.clear()
        await rows("UPDATE reach_channels SET leased_until = NULL, leased_by = NULL WHERE leased_by = ?", PROCESS)


LISTENERS = Loop(
    name="listening to channels", look=look, pause=IDLE_SECONDS, channel=LISTENING, take_over=take_over, stop=stop
)
