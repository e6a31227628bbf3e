"""Outgoing webhooks in tests: made by Ada, sent by hand, and verified as their receivers would."""

import asyncio
import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from standardwebhooks import Webhook

from mission_control.core import times
from mission_control.webhooks.models import OutgoingDelivery
from mission_control.webhooks.outgoing.sending import SENDING, look
from tests.cast import Cast
from tests.deliveries import send_due
from tests.outside import Receiver

HOOKS = "/outgoing-webhooks"


async def make(cast: Cast, receiver: Receiver, *kinds: str, of_board: bool = True, **fields: Any) -> dict[str, Any]:
    """Make an outgoing webhook of the cast's board, or of the organization. Return it with its secret."""
    where = {"board_id": str(cast.board.id)} if of_board else {}
    body = {"description": "Warehouse", "url": receiver.url, "kinds": kinds, **where, **fields}
    made: dict[str, Any] = (await cast.ada.post(HOOKS, body)).ok()
    return made


def of(hook: dict[str, Any]) -> str:
    return f"{HOOKS}/{hook['id']}"


def types(receiver: Receiver) -> list[str]:
    return [one["type"] for one in receiver.items]


async def read(cast: Cast, hook: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await cast.ada.get(of(hook))).ok()
    return found


async def sent_by(cast: Cast, hook: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await cast.ada.get(f"{of(hook)}/deliveries?limit=200")).ok()["items"]
    return found[::-1]


async def send(**later: float) -> int:
    """Send everything that is due after some time. Return how many attempts that were."""
    count = 0
    with times.travelled(timedelta(**later)):
        while made := await send_due(SENDING, look):
            count += made
    return count


async def until(hook: dict[str, Any], *states: str) -> None:
    async with asyncio.timeout(60):
        while await _states(hook) != list(states):
            await asyncio.sleep(0.005)


async def _states(hook: dict[str, Any]) -> list[str]:
    return [one.state for one in await OutgoingDelivery.filter(webhook_id=UUID(hook["id"])).order_by("id")]


def verified(secret: str, got: tuple[dict[str, str], bytes]) -> dict[str, Any]:
    """Return a message that the library of the standard accepts, and that is signed as its text says."""
    headers, body = got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert f"v1,{base64.b64encode(digest).decode()}" in headers["webhook-signature"].split(" ")
    message: dict[str, Any] = Webhook(secret).verify(body, headers)
    assert message == orjson.loads(body)
    return message
