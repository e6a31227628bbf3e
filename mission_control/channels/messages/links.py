"""The link in every message: it leads a person who is signed in to what it was about, which is seen from then on."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from mission_control.boards.queries import visible_board
from mission_control.channels.models import Device, ReachMessage, ReachMessageNeed, ReachNeed
from mission_control.core import times
from mission_control.core.actor import Actor, OnlySystem, system
from mission_control.core.errors import NotFound
from mission_control.events.commands import command
from mission_control.home.needs.view import shown
from mission_control.needs.lookup import parse_need_id
from mission_control.needs.schemas import Need

ONLY_SYSTEM = OnlySystem("reach.open")

HOME = "/"
SETTINGS = "/settings/notifications"


@dataclass(frozen=True, slots=True)
class Opened:
    """A message that somebody may open, with the needs in it."""

    message: ReachMessage
    needs: list[ReachMessageNeed]

    @property
    def address(self) -> str:
        """Where the message leads: to the page of its only need, as it was shown, else to Home."""
        if not self.needs:
            return SETTINGS if self.message.why == "test" else HOME
        if len(self.needs) > 1 or self.message.why == "digest":
            return HOME
        one = self.needs[0]
        shown = urlencode({"shown": one.substance, "message": self.message.id})
        return f"/needs/{one.kind}:{one.subject_id}?{shown}"


async def open_message(actor: Actor, message_id: UUID) -> str:
    """Return where a message leads, seen from now on. Raise NotFound for one of somebody else."""
    message = await ReachMessage.get_or_none(id=message_id)
    if message is None or not await _is_for(actor, message):
        raise NotFound()
    needs = await ReachMessageNeed.filter(message_id=message.id).order_by("position")
    if message.user_id is not None:
        await mark_seen(system(message.organization_id), message, needs)
    return Opened(message, needs).address


async def _is_for(actor: Actor, message: ReachMessage) -> bool:
    """Whether a message was for a person. Raise NotFound for one to the team of a board that they do not see."""
    if message.user_id is not None or message.device_id is None:
        return message.user_id == actor.id
    device = await Device.get(id=message.device_id)
    return device.board_id is not None and bool(await visible_board(actor, device.board_id))


@command("reach.open")
async def mark_seen(actor: Actor, message: ReachMessage, needs: list[ReachMessageNeed]) -> None:
    """Record that a person opened a message: what it was about is not sent to them elsewhere."""
    now = times.clock_now()
    await ReachMessage.filter(id=message.id, seen_at=None).update(seen_at=now)
    await ReachMessage.filter(id=message.id, state="sent").update(state="seen")
    for need in needs:
        waiting = ReachNeed.filter(reader_id=message.user_id, kind=need.kind, subject_id=need.subject_id, seen_at=None)
        await waiting.filter(substance=need.substance, ended_at=None).update(seen_at=now)


@shown
async def see_need(actor: Actor, need: Need) -> None:
    """Let a need count as seen that its page shows to a person; without a row for them it is not sent anyway."""
    kind, subject = parse_need_id(need.id)
    mine = {"reader_id": actor.user_id, "kind": kind, "subject_id": subject, "substance": need.substance}
    if await ReachNeed.filter(**mine, seen_at=None, ended_at=None).exists():
        await mark_shown(system(actor.organization_id), mine)


@command("reach.open")
async def mark_shown(actor: Actor, which: Mapping[str, object]) -> None:
    """Record that a person saw a need on its page: it is not sent to them elsewhere."""
    await ReachNeed.filter(**which, seen_at=None, ended_at=None).update(seen_at=times.clock_now())
