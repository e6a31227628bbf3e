"""What was sent to people, and what became of it, in words."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from mission_control.channels.channel import CHANNELS
from mission_control.channels.messages.rows import SENDING, note_tried, one_at_a_time
from mission_control.channels.models import KEPT, Device, ReachMessage
from mission_control.channels.preferences.commands import WAKES
from mission_control.core import times
from mission_control.core.actor import Actor, Scope
from mission_control.core.errors import Conflict, NotFound, existing
from mission_control.core.values import FromRow, Paging
from mission_control.events.commands import command
from mission_control.events.unit_of_work import deliver, notify, signal
from mission_control.http.registry import lookup

type MessageState = Literal["queued", "sent", "seen", "answered", "elsewhere", "expired", "failed", "withdrawn"]


class MessagesQuery(Paging):
    """Which messages: those in one state, or all of the last 30 days."""

    limit: int = Field(50, ge=1, le=200)
    state: MessageState | None = None


class MessageRead(FromRow):
    """A message about what needs somebody.

    It is `queued`, `sent`, `seen`, `answered` there, answered or ended `elsewhere`, `expired`, `failed` (given up), or
    `withdrawn` before it left. `words` say so, with who was faster or what the provider said.
    """

    id: UUID
    kind: str
    device: Annotated[str, Field(description="What the device is called")]
    why: str
    title: str
    state: MessageState
    words: str
    created_at: datetime
    sent_at: datetime | None
    seen_at: datetime | None


def words_of(message: ReachMessage) -> str:
    words = {
        "queued": f"tried again: {message.error}" if message.error else "on its way",
        "sent": "arrived" if message.why in ("test", "digest") else "waits",
        "answered": "answered here",
        "failed": f"given up: {message.error or 'no answer'}",
        "elsewhere": message.ended_how or "answered elsewhere",
        "withdrawn": message.ended_how or "no longer needed",
    }
    return words.get(message.state, message.state)


def read_message(message: ReachMessage, labels: dict[UUID, str]) -> MessageRead:
    kind = CHANNELS.get(message.kind)
    name = kind.name if kind is not None else message.kind
    device = labels.get(message.device_id, name) if message.device_id is not None else name
    return MessageRead.of(message, device=device, words=words_of(message))


async def messages_of(actor: Actor, query: MessagesQuery) -> tuple[list[MessageRead], int]:
    """Return what was sent to a person in the last 30 days, newest first, and how much that is."""
    return await _found(query, user_id=actor.user_id)


async def messages_in(organization_id: UUID, query: MessagesQuery) -> tuple[list[MessageRead], int]:
    """Return what was sent to anybody in an organization in the last 30 days, newest first, and how much that is."""
    return await _found(query, organization_id=organization_id)


async def _found(query: MessagesQuery, **where: object) -> tuple[list[MessageRead], int]:
    wanted = ReachMessage.filter(created_at__gt=times.clock_now() - KEPT, **where)
    wanted = wanted.filter(state=query.state) if query.state else wanted
    found = await wanted.order_by("-created_at", "-id").limit(query.limit).offset(query.offset)
    ids = {one.device_id for one in found if one.device_id is not None}
    labels = {one.id: one.label for one in await Device.filter(id__in=[*ids])} if ids else {}
    return [read_message(one, labels) for one in found], await wanted.count()


@lookup
async def visible_message(actor: Actor, message_id: UUID) -> ReachMessage:
    """Return a message of the active organization, for its admins. Raise NotFound otherwise."""
    found = await ReachMessage.get_or_none(id=message_id, organization_id=actor.organization_id)
    if found is None or not (actor.is_user and actor.administers(actor.organization_id)):
        raise NotFound()
    return found


@command("channel.manage")
async def resend_message(actor: Actor, message: ReachMessage) -> ReachMessage:
    """Send a message again that was given up; what no longer waits is withdrawn then. Conflict for every other one."""
    await one_at_a_time(actor.organization_id)
    found = await existing(ReachMessage.select_for_update().get_or_none(id=message.id))
    if found.state != "failed":
        raise Conflict("Only a message that was given up can be sent again.")
    found.state, found.error, found.ended_at, found.created_at = "queued", None, None, times.clock_now()
    await found.save(update_fields=["state", "error", "ended_at", "created_at"])
    await note_tried(found)
    scope = Scope(actor.organization_id)
    deliver(f"{SENDING}{found.kind}", scope, header="AGAIN", text="", message=str(found.id))
    signal(actor.organization_id, reach_message=str(found.id))
    notify(WAKES)
    return found
