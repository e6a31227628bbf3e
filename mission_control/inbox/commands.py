"""What changes inboxes and callbacks."""

from urllib.parse import urlsplit

from mission_control.agents.commands import locked_agent
from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import notify, record, signal
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.secrets import decrypt, encrypt
from mission_control.database.sql import as_id, as_json, is_postgres, rows
from mission_control.delivery import pace
from mission_control.delivery.models import Delivery
from mission_control.inbox.queries import UNREAD
from mission_control.inbox.signatures import new_secret
from mission_control.sending.outcome import record_outcome


@command("inbox.acknowledge")
async def acknowledge(actor: Actor, upto: int) -> int:
    """The calling agent has dealt with its notices up to a number; returns how many were new to that."""
    hold = " FOR UPDATE" if is_postgres() else ""
    found = await rows(
        "UPDATE deliveries SET state = 'sent', sent_at = ?, leased_by = NULL, leased_until = NULL WHERE id IN"
        f" (SELECT id FROM deliveries WHERE {UNREAD} AND seq <= ? ORDER BY seq{hold})"
        " RETURNING id, seq, header, data, board_id, task_id",
        clock.now(),
        actor.id,
        NOTICE,
        upto,
    )
    in_order = sorted(found, key=lambda row: row["seq"])
    recorded = [record_outcome(_delivery(actor, row), arrived=True) for row in in_order]
    if found and not any(recorded):
        signal(actor.organization_id, inbox_of=str(actor.id))
    return len(found)


def _delivery(actor: Actor, row: dict[str, object]) -> Delivery:
    return Delivery(
        id=as_id(row["id"]),
        organization_id=actor.organization_id,
        agent_id=actor.id,
        board_id=as_id(row["board_id"]),
        task_id=as_id(row["task_id"]),
        header=row["header"],
        data=as_json(row["data"]),
    )


@command("agent.set_callback")
async def set_callback(actor: Actor, agent: Agent, url: str, secret: str | None, key: str) -> str:
    """Send an agent's notices to an address, signed with a secret, which is returned.

    Waiting notices are sent at once. The log keeps the host only: an address may carry a password of its own.
    """
    agent = await locked_agent(agent)
    if secret is not None and (url, secret) == (agent.callback_url, _secret_of(agent, key)):
        return secret
    secret = secret or new_secret()
    before = _host(agent.callback_url)
    agent.callback_url, agent.callback_secret, agent.updated_at = url, encrypt(secret, key), clock.now()
    await agent.save(update_fields=["callback_url", "callback_secret", "updated_at"])
    record("agent.callback_set", agent, f"Callback set: {agent.name}.", before=before, host=_host(url))
    notify(pace.CHANNEL)
    return secret


@command("agent.set_callback")
async def remove_callback(actor: Actor, agent: Agent, *, only: str | None = None) -> None:
    """Send an agent's notices nowhere; they stay in its inbox. With `only`, when that is still the address."""
    agent = await locked_agent(agent)
    if agent.callback_url is None or only not in (None, agent.callback_url):
        return
    host = _host(agent.callback_url)
    agent.callback_url, agent.callback_secret, agent.updated_at = None, None, clock.now()
    await agent.save(update_fields=["callback_url", "callback_secret", "updated_at"])
    record("agent.callback_removed", agent, f"Callback removed: {agent.name}.", host=host, is_gone=only is not None)


def _host(url: str | None) -> str | None:
    return None if url is None else urlsplit(url).netloc


def _secret_of(agent: Agent, key: str) -> str | None:
    return decrypt(agent.callback_secret, key) if agent.callback_secret else None
