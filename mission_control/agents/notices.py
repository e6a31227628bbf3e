"""Notices to agents: what they are about, their shapes and signatures, who reads them, and statements."""

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints
from standardwebhooks import Webhook

from mission_control.agents.models import Agent
from mission_control.agents.queries import may_update_agent, visible_agent
from mission_control.agents.reactions import NOTICE
from mission_control.boards.queries import on_readable_boards, visible_board
from mission_control.core import times
from mission_control.core.actor import Actor, rule
from mission_control.core.errors import existing
from mission_control.core.extensions import Part, add
from mission_control.core.values import Body, JsonObject, Paging, Schema, example
from mission_control.database.records import find_all
from mission_control.database.sql import Values, rows, select
from mission_control.events.leases import FOR_ITS_TURN, Delivery

# The installed words, by header.
NOTICES: dict[str, str] = {}


class Notices(dict[str, str], Part):
    """The headers of a room's notices, each with its word for programs."""

    def install(self) -> None:
        for header, word in self.items():
            add(NOTICES, header, word)


WORDS = Notices(
    {
        "APPROVAL RESOLVED": "decision",
        "REQUEST CLOSED": "request_closed",
        "BOARD UPDATED": "board_updated",
        "NUDGE": "nudge",
        "SOUL UPDATED": "soul_updated",
        "WORK PAUSED": "work_paused",
        "WORK STOPPED": "work_stopped",
        "WORK RESUMED": "work_resumed",
        "BUDGET WARNING": "budget_warning",
        "BUDGET USED UP": "budget_used_up",
        "BUDGET RAISED": "budget_raised",
        "GATEWAY MAIN QUESTION": "question",
        "GATEWAY MAIN HANDOFF": "handoff",
        "LEAD REQUEST: ASK USER": "ask_user",
        "BOARD ONBOARDING REQUEST": "onboarding",
        "BOARD ONBOARDING ANSWER": "onboarding_answer",
    }
)


PREFIX = "whsec_"


def new_secret() -> str:
    """Return 256 random bits as Standard Webhooks spells a secret."""
    return f"{PREFIX}{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _usable_secret(secret: str) -> str:
    if secret.startswith(PREFIX) and not is_standard(secret):
        raise ValueError("after whsec_ comes the base64 of 24 to 64 random bytes")
    return secret


def is_standard(secret: str) -> bool:
    if not secret.startswith(PREFIX):
        return False
    try:
        size = len(base64.b64decode(secret.removeprefix(PREFIX), validate=True))
    except ValueError:
        return False
    return 24 <= size <= 64


def signature_headers(
    message_id: str, moment: datetime, body: str, secret: str, former: str | None = None
) -> dict[str, str]:
    """Return the headers that prove a message: its id, the moment (naive UTC) and the signature.

    A `former` one of the standard signs too: one right signature is enough for a receiver. Any other secret is the
    key as it is. Callbacks had such secrets before this standard, so their messages also carry the headers of then.
    """
    has_standard = is_standard(secret)
    keys = [secret if has_standard else secret.encode(), *([former] if former else ())]
    signature = " ".join(Webhook(key).sign(message_id, moment, body) for key in keys)
    timestamp = str(int(moment.replace(tzinfo=UTC).timestamp()))
    headers = {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}
    if has_standard:
        return headers
    digest = hmac.digest(secret.encode(), f"{timestamp}.{body}".encode(), hashlib.sha256).hex()
    earlier = {"Delivery": message_id, "Timestamp": timestamp, "Signature": f"sha256={digest}"}
    return headers | {f"X-Mission-Control-{name}": value for name, value in earlier.items()}


State = Literal["waiting", "sending", "sent", "failed"]
LONGEST_URL = 2_000


class InboxQuery(Schema):
    """From where to read, how much, and how long to wait for the first notice."""

    after: int = Field(0, ge=0)
    limit: int = Field(50, ge=1, le=200)
    wait_seconds: int = Field(0, ge=0, le=50)


INTERNAL = ("succeeded", "failed", "raw", "event", "returns")


class _Notice(Schema):
    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """Return a notice as agents get it, in the inbox and at their callback, or with its fate."""
        names = cls.model_fields.keys() - {"kind", "data"}
        data = {key: value for key, value in delivery.data.items() if key not in INTERNAL}
        kind = NOTICES.get(delivery.header, "message")
        return cls.model_construct(kind=kind, data=data, **{name: getattr(delivery, name) for name in names})


class InboxItem(_Notice):
    """A notice. `kind` is one word for programs, `header` and `text` are to be read; `seq` only ever grows."""

    seq: int
    id: UUID
    kind: str
    header: str
    text: str
    task_id: UUID | None
    board_id: UUID | None
    data: JsonObject
    created_at: datetime


class Inbox(Schema):
    """Notices in order, and what to send as `after` once they are dealt with."""

    items: list[InboxItem]
    next: int


class DeliveryQuery(Paging):
    """Which deliveries to list."""

    state: State | None = None


class DeliveryRead(_Notice):
    """A notice to an agent and what became of it. `due_at` is when a waiting one is tried next."""

    id: UUID
    seq: int | None
    kind: str
    header: str
    text: str
    task_id: UUID | None
    board_id: UUID | None
    data: JsonObject
    state: State
    attempts: int
    last_error: str | None
    due_at: datetime
    sent_at: datetime | None
    created_at: datetime


CallbackUrl = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_URL)]
Secret = Annotated[str, StringConstraints(min_length=16, max_length=200), AfterValidator(_usable_secret)]


class CallbackSet(Body):
    """Where an agent's notices go. Without a secret a new random one is made."""

    model_config = example(url="https://agents.example.org/vega")

    url: CallbackUrl
    secret: Secret | None = None


class CallbackRead(Schema):
    """An agent's callback, `url` null when it has none; `last_error` is null once a notice has arrived again."""

    url: str | None
    last_success_at: datetime | None
    last_error: str | None
    waiting: int
    failed: int


class CallbackSecret(CallbackRead):
    """A callback just set; the secret is shown here and never again."""

    secret: str


# What rode on an answer stays in the inbox for a day, for programs that read only that.
TAKEN_FOR = timedelta(days=1)
# Each part has a partial index.
READABLE = (
    "id IN (SELECT id FROM deliveries WHERE agent_id = ? AND kind = ? AND state <> 'sent' AND {which}"
    " UNION ALL SELECT id FROM deliveries WHERE agent_id = ? AND kind = ? AND state = 'sent' AND taken_at > ?"
    " AND {which})"
)
# What a connected gateway is about to send to its agent would be new work twice; what was given up is read here, and
# what is for the middle of a turn, which is sent when the turn has ended.
SENT_BY_GATEWAY = (
    "state <> 'failed' AND EXISTS (SELECT 1 FROM agents a JOIN gateways g ON g.id = a.gateway_id"
    " WHERE a.id = deliveries.agent_id AND a.callback_url IS NULL AND g.state = 'connected'"
    f" AND NOT (header IN {FOR_ITS_TURN} AND a.run_began_at IS NOT NULL))"
)
# A poll may outlive its token; what comes later is for the agent's other tokens.
STILL_GOOD = (
    " AND EXISTS (SELECT 1 FROM tokens WHERE id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?))"
)


def readable(actor: Actor, which: str, seq: int) -> tuple[str, Values]:
    """Return the condition for the calling agent's notices that are not acknowledged, by their numbers."""
    since = times.clock_now() - TAKEN_FOR
    return READABLE.format(which=which), [actor.id, NOTICE, seq, actor.id, NOTICE, since, seq]


async def unread(actor: Actor, after: int, limit: int) -> list[Delivery]:
    """Return the calling agent's notices after a number that are not acknowledged, in order.

    Without those that its gateway is about to send to it.
    """
    where, values = readable(actor, "seq > ?", after)
    return await find_all(
        Delivery,
        f"{where}{STILL_GOOD} AND NOT ({SENT_BY_GATEWAY}) ORDER BY seq LIMIT ?",
        *values,
        actor.credential[1],
        times.clock_now(),
        limit,
    )


async def deliveries_of(
    actor: Actor, agent: Agent, paging: Paging, state: str | None = None
) -> tuple[list[Delivery], int]:
    """Return an agent's notices about what exists for the actor, newest first, and how many there are."""
    here, boards = on_readable_boards(actor, agent.organization_id, "board_id")
    where, values = f"agent_id = ? AND kind = ?{here}", [agent.id, NOTICE, *boards]
    if state is not None:
        where, values = f"{where} AND state = ?", [*values, state]
    order = "ORDER BY seq DESC, id DESC LIMIT ? OFFSET ?"
    deliveries = await find_all(Delivery, f"{where} {order}", *values, paging.limit, paging.offset)
    [total] = await rows(f"SELECT COUNT(*) AS n FROM deliveries WHERE {where}", *values)
    return deliveries, int(total["n"])


async def visible_delivery(actor: Actor, agent_id: UUID, delivery_id: UUID) -> Delivery:
    agent = await visible_agent(actor, agent_id)
    delivery = await existing(Delivery.get_or_none(id=delivery_id, agent_id=agent.id, kind=NOTICE))
    if delivery.board_id is not None and delivery.board_id != agent.board_id:
        await visible_board(actor, delivery.board_id)
    return delivery


async def callback_state(agent_id: UUID) -> CallbackRead:
    """Return an agent's callback and how it goes.

    A notice that the agent read in its inbox was not attempted, or keeps its error; notices go out in order.
    """
    notices = "FROM deliveries WHERE agent_id = a.id AND kind = ?"
    arrived = "state = 'sent' AND attempts > 0 AND last_error IS NULL"
    [state] = await select(
        CallbackRead,
        f"SELECT callback_url AS url, (SELECT sent_at {notices} AND {arrived} ORDER BY seq DESC LIMIT 1) AS"
        f" last_success_at, (SELECT last_error {notices} AND attempts > 0 ORDER BY seq DESC LIMIT 1) AS last_error,"
        f" (SELECT COUNT(*) {notices} AND state <> 'sent' AND state <> 'failed') AS waiting,"
        f" (SELECT COUNT(*) {notices} AND state <> 'sent' AND state = 'failed') AS failed FROM agents a WHERE id = ?",
        *[NOTICE] * 4,
        agent_id,
    )
    return state


WITHDRAWN = "(deleted)"


async def requote(organization_id: UUID, name: str, thing_id: UUID, since: datetime, before: str, after: str) -> None:
    """Inside a command: put other words into the notices whose `data` names a thing, read ones among them.

    `name` is the key in `data`, `since` the moment before which nothing can have quoted the thing.
    """
    callbacks = await rows(
        f"SELECT id, text FROM deliveries WHERE kind = ? AND created_at >= ? AND data ->> '{name}' = ?"
        " AND agent_id IN (SELECT id FROM agents WHERE organization_id = ?)",
        NOTICE,
        since,
        str(thing_id),
        organization_id,
    )
    for row in callbacks:
        head, mark, tail = row["text"].rpartition(f"\n\n{before}")
        if mark:
            await rows("UPDATE deliveries SET text = ? WHERE id = ?", f"{head}\n\n{after}{tail}", row["id"])


@rule("inbox.read", "inbox.acknowledge")
def may_use_inbox(actor: Actor, thing: object) -> bool:
    """Every agent has one inbox, its own."""
    return actor.is_agent


@rule("agent.set_callback")
def may_set_callback(actor: Actor, agent: Agent) -> bool:
    """Actors that may change the agent."""
    return may_update_agent(actor, agent)
