"""The devices of a person as they read them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from mission_control.channels.models import KEPT, Device
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.values import Body, FromRow, NonEmptyStr, Schema, example
from mission_control.http.registry import lookup

type DeviceState = Literal["new", "works", "fails", "ended"]


class DeviceRead(FromRow):
    """A place where the caller is reached.

    It is `new` until something arrived, `works`, `fails`, or has `ended`; `last_error` has the provider's words.
    """

    id: UUID
    kind: str
    channel_id: UUID | None
    label: str
    position: int
    state: DeviceState
    last_ok_at: datetime | None
    last_error: str | None
    failed_at: datetime | None
    ended_at: datetime | None
    created_at: datetime


class AddressCreate(Body):
    """An address that the caller types, where their messages go."""

    model_config = Body.model_config | example(
        kind="ntfy", values={"server": "https://ntfy.sh", "topic": "ada-needs"}, label="My phone"
    )

    kind: NonEmptyStr
    values: Annotated[
        dict[str, Annotated[str, Field(max_length=2000)]],
        Field(max_length=20, description="What its kind needs, by name"),
    ]
    label: Annotated[str, Field(max_length=200, description="How the caller calls it")] = ""


class DeviceOrder(Body):
    """The devices of the caller in the wanted order."""

    ids: Annotated[list[UUID], Field(max_length=100)]


class DeviceTest(Schema):
    """How sending a test message went: in the provider's words, after so many seconds."""

    ok: bool
    words: str
    seconds: float


def state_of(device: Device) -> DeviceState:
    if device.ended_at is not None:
        return "ended"
    if device.last_error is not None:
        return "fails"
    return "new" if device.last_ok_at is None else "works"


def read_device(device: Device) -> DeviceRead:
    return DeviceRead.of(device, state=state_of(device))


async def devices_of(actor: Actor) -> list[Device]:
    """Return the devices of a person in their order, then those that ended by themselves in the last 30 days."""
    found = await Device.filter(user_id=actor.user_id).order_by("position", "created_at")
    since = times.clock_now() - KEPT
    ended = [one for one in found if one.ended_at is not None and one.last_error and one.ended_at > since]
    return [one for one in found if one.ended_at is None] + ended


@lookup
async def own_device(actor: Actor, device_id: UUID) -> Device:
    """Return a device of the person. Raise NotFound for one of somebody else, or that they removed."""
    found = await Device.get_or_none(id=device_id, user_id=actor.user_id) if actor.is_user else None
    if found is None or (found.ended_at is not None and found.last_error is None):
        raise NotFound()
    return found
