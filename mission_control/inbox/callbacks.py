"""Send notices to agents' callbacks: signed, in order, retried until they are taken or given up."""

import ipaddress
from urllib.parse import urlsplit

from quart import Quart

from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.core import clock
from mission_control.core.actor import system
from mission_control.core.errors import invalid_field
from mission_control.core.json import to_json
from mission_control.core.secrets import decrypt
from mission_control.delivery.models import Delivery
from mission_control.inbox.commands import remove_callback
from mission_control.inbox.queries import callback_of, item, row_of
from mission_control.inbox.signatures import signature_headers
from mission_control.outbound.addresses import may_reach
from mission_control.outbound.client import Outbound, OutboundError
from mission_control.sending.loop import GiveUp, Send, Sender

SECONDS = 10.0
GONE = 410
# Agents that have a callback and whose board is not in the trash.
REACHED = (
    "agent_id IN (SELECT a.id FROM agents a LEFT JOIN boards b ON b.id = a.board_id"
    " WHERE a.callback_url IS NOT NULL AND b.deleted_at IS NULL)"
)


class NotDelivered(Exception):
    """The callback did not take a notice; the text says how it answered."""


def senders(app: Quart) -> list[Sender]:
    """Return who sends notices to callbacks."""
    return [Sender(NOTICE, callback_sender(app), only=REACHED)]


def callback_sender(app: Quart) -> Send:
    """Return the sender of notices. It never reaches an agent without a callback."""

    async def send(delivery: Delivery) -> None:
        callback = await callback_of(delivery.agent_id)
        if callback is None:
            raise NotDelivered("The callback was removed.")
        url, kept = callback
        body = to_json(item(row_of(delivery)))
        secret = decrypt(kept, app.config["SECRET_KEY"])
        headers = signature_headers(str(delivery.id), clock.now(), body.decode(), secret)
        allow_private = app.config["SETTINGS"].outbound_allow_private
        outbound = Outbound(allow_private=allow_private, seconds=SECONDS, reads_body=False)
        try:
            reply = await outbound.request("POST", url, {"Content-Type": "application/json", **headers}, body)
        except OutboundError as error:
            raise NotDelivered(f"The callback {error}.") from error
        if reply.status == GONE:
            await _forget(delivery, url)
        if not 200 <= reply.status < 300:
            raise NotDelivered(f"The callback answered with status {reply.status}.")

    return send


async def _forget(delivery: Delivery, url: str) -> None:
    agent = await Agent.get(id=delivery.agent_id).select_related("board")
    await remove_callback(system(agent.organization_id), agent, only=url)
    raise GiveUp("The callback is gone (status 410) and was removed.")


def check_url(url: str, *, allow_private: bool) -> None:
    """Refuse an address that is not http or https, that holds a user name, or that may not be reached.

    Host names are resolved and checked at each delivery.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise invalid_field("url", "an http or https address is needed", url) from None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or not url.isprintable():
        raise invalid_field("url", "an http or https address without a user is needed", url)
    if _is_address(host) and not may_reach(host, allow_private=allow_private):
        raise invalid_field("url", "this address may not be reached from here", url)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
