"""Channels of the active organization over HTTP: those by which its people and teams are reached."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from mission_control.channels import commands
from mission_control.channels.addresses import line_with
from mission_control.channels.channel import CHANNELS, Line
from mission_control.channels.commands import KNOWN_AS, Checked, kind_named, stored, typed_values
from mission_control.channels.devices.queries import own_device
from mission_control.channels.models import ReachChannel
from mission_control.channels.trial_messages import send_test
from mission_control.core.actor import Actor
from mission_control.core.errors import invalid_field
from mission_control.core.values import (
    OK,
    Body,
    Change,
    FromRow,
    JsonObject,
    NotNull,
    OkResponse,
    Page,
    Paging,
    Schema,
    example,
    page_of,
)
from mission_control.http.operation_api import Api
from mission_control.http.retries import committed

api = Api(__name__, "organizations", below="/organizations/me/channels")
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Values = Annotated[
    dict[str, Annotated[str, Field(max_length=2000)]],
    Field(max_length=20, description="What its kind needs, by name; secrets are in no answer"),
]


class ChannelRead(FromRow):
    """A channel, without its secrets.

    It is `on`, `failing` since `failing_since` for the reason in `last_error`, or `off`. `known_as` is how the provider
    names it. `address` is where it sends what people press, empty where it takes none or cannot reach us.
    """

    id: UUID
    kind: str
    name: str
    settings: dict[str, str]
    secrets: list[str]
    known_as: str
    address: Annotated[str, Field(description="Where the provider sends what people press")]
    state: Literal["on", "failing", "off"]
    last_error: str | None
    failing_since: datetime | None
    created_at: datetime


class ChannelCreate(Body):
    """A channel to set up. Without a name it has that of its kind."""

    model_config = Body.model_config | example(kind="telegram", values={"token": "123456:ABC"})

    kind: str
    name: Annotated[Name | None, Field(description="What people read")] = None
    values: Values = {}


class ChannelUpdate(Body, Change):
    """What to change of a channel. Values that are not sent stay; an empty one is removed."""

    model_config = Body.model_config | example(state="off")

    name: Annotated[Name | None, NotNull] = None
    values: Annotated[Values | None, NotNull, Field(description="What to change of its settings")] = None
    state: Annotated[Literal["on", "off"] | None, NotNull, Field(description="Whether it is used")] = None


class ChannelTry(Body):
    """What to try: the settings, and a message to a device of the caller there, if one is named."""

    model_config = Body.model_config | example(device_id=None)

    device_id: UUID | None = None


class ChannelTest(Schema):
    """How a test went, in the provider's words."""

    ok: bool
    words: str


def read_channel(channel: ReachChannel) -> ChannelRead:
    known = stored(channel)
    kind = CHANNELS.get(channel.kind)
    shown = {setting.name for setting in kind.sets} if kind is not None else set()
    return ChannelRead.of(
        channel,
        settings={name: value for name, value in known.settings.items() if name in shown},
        secrets=sorted(known.secrets),
        known_as=channel.settings.get(KNOWN_AS, ""),
        address=line_with(channel).answers_at if kind is not None and kind.receives else "",
    )


@api.get("", Page[ChannelRead], rule="channel.read")
async def list_channels(actor: Actor, query: Paging) -> JsonObject:
    """List the channels of the organization, by which its people may link an account."""
    return page_of([read_channel(channel) for channel in await channels_of(actor.organization_id)], query)


async def channels_of(organization_id: UUID) -> list[ReachChannel]:
    return await ReachChannel.filter(organization_id=organization_id).order_by("kind", "name", "id")


@api.post("", ChannelRead, rule="channel.manage", is_atomic=False)
async def create_channel(actor: Actor, data: ChannelCreate) -> ChannelRead | None:
    """Set up a channel. The provider is asked whether the settings are right; what it refuses is not stored: 422.

    A provider that gives no answer now is set up all the same, and says so in `last_error`.
    """
    kind = kind_named(data.kind)
    typed = typed_values(kind, data.values)
    found = await _taken(data.kind, commands.line_of_typed(kind, typed))

    async def create() -> ChannelRead:
        return read_channel(await commands.create_channel(actor, kind, data.name or kind.name, typed, found))

    return await committed(actor, create)


@api.patch("/<channel_id>", ChannelRead, rule="channel.manage", is_atomic=False)
async def update_channel(actor: Actor, channel: ReachChannel, data: ChannelUpdate) -> ChannelRead | None:
    """Change a channel, switch it off or on. The provider is asked about new settings, as when it was set up.

    Another address, token or secret ends the accounts that are linked there, and tells their people.
    """
    typed, found = None, Checked(None, "")
    if data.values is not None:
        kind = kind_named(channel.kind)
        typed = typed_values(kind, data.values, stored(channel))
        found = await _taken(channel.kind, commands.line_of_typed(kind, typed))

    async def update() -> ChannelRead:
        return read_channel(await commands.update_channel(actor, channel, data.name, data.state, typed, found))

    return await committed(actor, update)


async def _taken(kind: str, line: Line) -> Checked:
    """Ask the provider; Invalid with its words when it refuses the settings."""
    found = await commands.checked(CHANNELS[kind], line)
    if found.ok is False:
        raise invalid_field("values", f"{CHANNELS[kind].name} does not take this: {found.words}")
    return found


@api.delete("/<channel_id>", rule="channel.manage")
async def remove_channel(actor: Actor, channel: ReachChannel) -> OkResponse:
    """Remove a channel. Accounts that were linked there reach nobody from then on."""
    await commands.remove_channel(actor, channel)
    return OK


@api.post("/<channel_id>/tests", ChannelTest, rule="channel.manage", is_atomic=False)
async def test_channel(actor: Actor, channel: ReachChannel, data: ChannelTry) -> ChannelTest | None:
    """Ask the provider whether a channel works, and send a message to one of your devices there, if you name it."""
    found = await commands.checked(kind_named(channel.kind), line_with(channel))
    result = ChannelTest(ok=found.ok is True, words=found.words)
    if found.ok and data.device_id is not None:
        device = await own_device(actor, data.device_id)
        if device.channel_id != channel.id:
            raise invalid_field("device_id", f"This device is not one of {channel.name}")
        sent = await send_test(actor, device)
        result = ChannelTest(ok=sent.ok, words=sent.words or found.words)

    async def note() -> ChannelTest:
        await commands.note_check(actor, channel, found)
        return result

    return await committed(actor, note)
