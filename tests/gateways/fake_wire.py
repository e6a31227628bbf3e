"""The wire of the gateway of tests: admitting clients, answering their requests, and what goes wrong with them."""

import asyncio
import contextlib
import itertools
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.gateways.checking import params_problem, protocol
from tests.gateways.fake_connect import admit
from tests.gateways.fake_methods import METHODS, Refused
from tests.gateways.fake_state import now_ms

if TYPE_CHECKING:
    from tests.gateways.fake import FakeGateway

PACED = {
    "config.patch", "config.apply", "cron.add", "cron.update", "cron.remove", "cron.run", "gateway.restart.request",
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """A request that the gateway got."""

    method: str
    params: dict[str, Any]
    device_id: str
    refused: str | None = None


@dataclass
class Fault:
    """What happens to the next calls of a method instead of, or after, what it does."""

    times: int
    error: dict[str, Any] | None = None
    closes: int | None = None
    is_done_first: bool = False
    is_silent: bool = False
    gate: asyncio.Event | None = None


@dataclass(eq=False)
class Client:
    """An admitted connection."""

    socket: ServerConnection
    device_id: str
    caps: frozenset[str]
    scopes: frozenset[str]
    seq: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def event(self, name: str, payload: dict[str, Any]) -> None:
        """Tell the client something."""
        frame = {"type": "event", "event": name, "payload": payload, "seq": next(self.seq)}
        with contextlib.suppress(ConnectionClosed):
            await self.socket.send(orjson.dumps(frame).decode())


def upgrade(gateway: "FakeGateway", socket: ServerConnection, request: Request) -> Response | None:
    gateway.request_headers.append(dict(request.headers.raw_items()))
    gateway.paths.append(request.path)
    if gateway.unavailable > 0:
        gateway.unavailable -= 1
        return socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, "starting")
    return None


async def converse(gateway: "FakeGateway", socket: ServerConnection) -> None:
    client: Client | None = None
    try:
        client = await _admit(gateway, socket)
        if client is None:
            return
        gateway.clients.append(client)
        async with asyncio.TaskGroup() as answers:
            async for raw in socket:
                answers.create_task(_answer(gateway, client, orjson.loads(raw)))
    except* ConnectionClosed:
        pass
    finally:
        if client in gateway.clients:
            gateway.clients.remove(client)


async def _admit(gateway: "FakeGateway", socket: ServerConnection) -> Client | None:
    nonce = str(uuid.uuid4())
    offered = ["device-pairing-wait"] if gateway.waits_for_pairing else []
    payload = {"nonce": nonce, "ts": now_ms(), "capabilities": offered}
    await socket.send(orjson.dumps({"type": "event", "event": "connect.challenge", "payload": payload}).decode())
    frame = orjson.loads(await socket.recv())
    if frame.get("method") != "connect":
        await socket.close(1008, "connect first")
        return None
    params = frame["params"]
    gateway.connects.append(params)
    if gateway.sidecars_starting > 0:
        gateway.sidecars_starting -= 1
        error = {"code": "UNAVAILABLE", "message": "gateway is starting", "retryable": True, "retryAfterMs": 500}
        await _respond(socket, frame["id"], error=error | {"details": {"reason": "startup-sidecars"}})
        await socket.close(1013, "try again later")
        return None
    try:
        hello = admit(gateway, params, nonce)
    except Refused as refused:
        await _respond(socket, frame["id"], error=refused.error)
        if params.get("waitForResolution") and refused.error["code"] == "NOT_PAIRED":
            gateway.waiting[params["device"]["id"]] = socket
            await socket.wait_closed()
        else:
            await socket.close(1008, refused.error["message"][:120])
        return None
    scopes = frozenset(hello["auth"]["scopes"])
    if gateway.is_old and "deviceToken" not in hello["auth"]:
        del hello["auth"]
    await _respond(socket, frame["id"], payload=hello)
    return Client(socket, params["device"]["id"], frozenset(params.get("caps", ())), scopes)


async def _answer(gateway: "FakeGateway", client: Client, frame: dict[str, Any]) -> None:
    gateway.in_progress += 1
    gateway.most_in_progress = max(gateway.most_in_progress, gateway.in_progress)
    try:
        await _answer_one(gateway, client, frame)
    finally:
        gateway.in_progress -= 1


async def _answer_one(gateway: "FakeGateway", client: Client, frame: dict[str, Any]) -> None:
    name, params = frame["method"], frame.get("params") or {}
    fault = _fault_of(gateway, name)
    payload: Any = None
    error: dict[str, Any] | None = None
    if fault is not None and fault.gate is not None:
        await fault.gate.wait()
    if fault is None or fault.is_done_first or fault.gate is not None:
        try:
            payload = _carry_out(gateway, client, name, params)
        except Refused as refused:
            error = refused.error
    elif fault.error is not None:
        error = {"code": "INVALID_REQUEST", **fault.error}
    stopped = "broken off" if fault is not None and not fault.is_done_first and fault.gate is None else None
    gateway.calls.append(Call(name, params, client.device_id, error["message"] if error else stopped))
    if fault is not None and fault.closes is not None:
        if fault.closes == 1006:
            client.socket.transport.abort()
        else:
            await client.socket.close(fault.closes, "service restart")
    elif fault is None or not fault.is_silent:
        await _respond(client.socket, frame["id"], payload=payload, error=error)
        if name == "agent" and error is None:
            await _respond(client.socket, frame["id"], payload=await _end_of_run(gateway, payload["runId"]))


async def _end_of_run(gateway: "FakeGateway", run_id: str) -> dict[str, Any]:
    """The second answer of a call that runs an agent."""
    while gateway.state.runs[run_id] != "ok":
        await asyncio.sleep(0.01)
    return {"runId": run_id, "status": "ok", "summary": "completed", "result": {"payloads": []}}


def _fault_of(gateway: "FakeGateway", method: str) -> Fault | None:
    waiting = gateway.faults.get(method)
    if not waiting:
        return None
    waiting[0].times -= 1
    return waiting[0] if waiting[0].times > 0 else waiting.pop(0)


def _carry_out(gateway: "FakeGateway", client: Client, name: str, params: dict[str, Any]) -> Any:
    if name not in METHODS or name in gateway.missing_methods:
        raise Refused(f"unknown method: {name}")
    scope = protocol()["methods"].get(name, {}).get("scope")
    if scope not in (None, "dynamic") and not client.scopes & {scope, "operator.admin"}:
        if gateway.is_old:
            raise Refused(f"missing scope: {scope}")
        details = {"code": "MISSING_SCOPE", "missingScope": scope, "requiredScopes": [scope]}
        raise Refused(f"missing scope: {scope}", code="FORBIDDEN", details=details)
    is_published = name != "question.resolve" or not gateway.wants_flat_answers
    if is_published and (problem := params_problem(name, params)) is not None:
        raise Refused(problem)
    _count_write(gateway, client, name)
    return METHODS[name](gateway, params)


def _count_write(gateway: "FakeGateway", client: Client, name: str) -> None:
    if name not in PACED:
        return
    now = gateway.now()
    recent = gateway.writes.setdefault((client.device_id, name), [])
    recent[:] = [at for at in recent if at > now - 60]
    if len(recent) >= gateway.writes_per_minute:
        wait = int((recent[0] + 60 - now) * 1000) + 1
        details = {"method": name, "limit": f"{gateway.writes_per_minute} per 60s"}
        raise Refused("rate limit exceeded", code="UNAVAILABLE", details=details, retryable=True, retryAfterMs=wait)
    recent.append(now)


async def _respond(
    socket: ServerConnection, key: Any, *, payload: Any = None, error: dict[str, Any] | None = None
) -> None:
    frame = {"type": "res", "id": key, "ok": error is None}
    frame |= {"payload": payload} if error is None else {"error": error}
    with contextlib.suppress(ConnectionClosed):
        await socket.send(orjson.dumps(frame).decode())
