"""Running calls, so that their clients can cancel them.

In the protocol's versions with a handshake a client cancels by `notifications/cancelled`, which names the request and
arrives on a connection of its own, maybe in another process. A request is known by the caller's token, the session and
its id. Clients number their requests from 0, so the session, an id that `initialize` hands out and nobody stores, keeps
two clients with one token apart; a client that sends none is known by token and id alone.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Iterator

import orjson

from mission_control.core.actor import Actor
from mission_control.core.values import JsonObject
from mission_control.events.commands import Compensations
from mission_control.events.reader_wakeups import publish_wakeup
from mission_control.events.wakeup_channels import on_notify_family
from mission_control.http.proxies import Scope, header
from mission_control.mcp.registry import PEOPLES_TOOLS, TOOLS

SESSION = "Mcp-Session-Id"
FAMILY = "mcp-cancel"
FIRST_WITHOUT_HANDSHAKE = "2026-07-28"  # since this version a client cancels by closing the connection
# Seconds for which a cancellation that arrives before its request is remembered.
REMEMBERED_SECONDS = 5.0
MOST_REMEMBERED = 1000


class Call:
    def __init__(self) -> None:
        self.cancelled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.compensations = Compensations()

    def cancel(self) -> None:
        if not self.cancelled.done():
            self.cancelled.set_result(None)


_calls: dict[str, dict[Call, None]] = {}
_early: dict[str, asyncio.TimerHandle] = {}


def parsed(body: bytes) -> JsonObject:
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}


def wants_progress(message: JsonObject) -> bool:
    params = message.get("params")
    if message.get("method") != "tools/call" or not isinstance(params, dict) or not isinstance(params.get("name"), str):
        return False
    found = next((pool[params["name"]] for pool in (TOOLS, PEOPLES_TOOLS) if params["name"] in pool), None)
    meta = params.get("_meta")
    return found is not None and found.waits and isinstance(meta, dict) and meta.get("progressToken") is not None


@contextlib.contextmanager
def tracked_call(scope: Scope, actor: Actor, message: JsonObject) -> Iterator[Call]:
    """Track a call that can be cancelled until it is answered.

    After the answer a cancellation is ignored: some clients send one when the signal is aborted later.
    """
    call, name = Call(), _name(scope, actor, message.get("id"))
    if (header(scope, b"mcp-protocol-version") or "") >= FIRST_WITHOUT_HANDSHAKE:
        yield call
        return
    _calls.setdefault(name, {})[call] = None
    if (timer := _early.pop(name, None)) is not None:
        timer.cancel()
        call.cancel()
    try:
        yield call
    finally:
        calls = _calls.get(name, {})
        calls.pop(call, None)
        if not calls:
            _calls.pop(name, None)


async def cancel(scope: Scope, actor: Actor, message: JsonObject) -> None:
    """Cancel the request named by a notification, in whichever process serves it."""
    params = message.get("params")
    asked = params.get("requestId") if isinstance(params, dict) else None
    if isinstance(asked, str | int):
        name = _name(scope, actor, asked)
        is_early = name not in _calls and name not in _early and header(scope, SESSION.lower().encode())
        if is_early and len(_early) < MOST_REMEMBERED:
            _early[name] = asyncio.get_running_loop().call_later(REMEMBERED_SECONDS, _early.pop, name, None)
        await publish_wakeup(name)


def _name(scope: Scope, actor: Actor, request_id: object) -> str:
    session = header(scope, SESSION.lower().encode()) or ""
    what = orjson.dumps([session, request_id], option=orjson.OPT_PASSTHROUGH_SUBCLASS)
    return f"{FAMILY}:{actor.credential[1]}:{hashlib.sha256(what).hexdigest()[:32]}"


@on_notify_family(FAMILY)
def cancel_named(name: str) -> None:
    """Cancel the calls of a name; called on every notification of the family."""
    for call in list(_calls.get(name, ())):
        call.cancel()
