"""The settings page of an organization's channels: the list, setting one up, and messages that were given up."""

from dataclasses import dataclass
from typing import Literal

from quart.typing import ResponseReturnValue

from mission_control.channels.api import ChannelRead, ChannelTest, channels_of, read_channel
from mission_control.channels.channel import CHANNELS, Channel
from mission_control.channels.commands import stored
from mission_control.channels.installation import reachable_address
from mission_control.channels.messages.queries import MessagesQuery, messages_in
from mission_control.channels.models import Device, ReachChannel, ReachMessage
from mission_control.channels.typed_form import FIELD, TypedForm, by_setting
from mission_control.core.actor import Actor, can, require
from mission_control.core.current_app import settings
from mission_control.core.errors import NotFound
from mission_control.events.broker import News
from mission_control.events.models import Event
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormValues, VersionedForm, done, go
from mission_control.web.fragments import PageContext
from mission_control.web.lists import LiveList, Pages
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import SettingsPage, settings_page, signed_in

pages = Pages("reach_channel_pages", __name__)
PATH = "/settings/channels"
CHANNEL = f"{PATH}/<uuid:channel_id>"


def _manages(actor: Actor) -> bool:
    return can(actor, "channel.manage")


SETTINGS_PAGE = SettingsPage(
    "channels", "Organization", "Channels", PATH, "send", 125, "slack telegram mattermost bot chat notifications",
    may=_manages,
)  # fmt: skip
LAST = 50


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """A channel of the organization as its row shows it, with how many accounts are linked there."""

    channel: ChannelRead
    kind: Channel | None
    accounts: int


def _concerns(view: View, news: News) -> bool:
    return isinstance(news, Event) or "reach_channel" in news or "reach_message" in news


NEWS = Concerns[View](("channel.",), ("reach_channel", "reach_message"), _concerns)


async def _lists(actor: Actor, _: object) -> PageContext:
    found = await channels_of(actor.organization_id)
    failed, total = await messages_in(actor.organization_id, MessagesQuery(limit=LAST, offset=0, state="failed"))
    linked = [device.channel_id for device in await Device.filter(organization_id=actor.organization_id, ended_at=None)]
    lines = [ChannelLine(read_channel(one), CHANNELS.get(one.kind), linked.count(one.id)) for one in found]
    return {"lines": lines, "failed": failed, "failed_total": total}


async def _around(actor: Actor) -> PageContext:
    kinds = [one for one in CHANNELS.values() if one.sets]
    teams = [one.name for one in CHANNELS.values() if one.team is not None and not one.sets]
    return {"kinds": sorted(kinds, key=lambda one: one.name), "teams": sorted(teams)}


LIST = LiveList(
    pages=pages, place=SETTINGS_PAGE, template="channels/channels.html", read=_lists, news=NEWS, verb="channel.manage",
    blocks=("reach_channels", "reach_failed"), asks=lambda: "", around=_around, is_shared=True,
)  # fmt: skip


class NewChannelForm(TypedForm):
    kind: str = ""
    name: str = ""

    def body(self, found: object) -> Fields:
        return {"kind": self.kind, "values": self.values, "name": self.name.strip()[:120] or None}


class ChannelForm(TypedForm, VersionedForm):
    """What is changed: a secret that was left empty stays as it is."""

    name: str = ""

    @classmethod
    def values_of(cls, thing: ReachChannel) -> FormValues:
        known, sets = stored(thing).settings, _kind(thing.kind).sets
        values = {
            f"{FIELD}{setting.name}": known.get(setting.name, setting.default)
            for setting in sets
            if not setting.is_secret
        }
        return {"name": thing.name, **values}

    def body(self, found: ReachChannel) -> Fields:
        kind = CHANNELS.get(found.kind)
        secret = {setting.name for setting in kind.sets if setting.is_secret} if kind is not None else set()
        values = {name: value for name, value in self.values.items() if value.strip() or name not in secret}
        name = self.name.strip()[:120]
        return {"values": values, **({"name": name} if name else {})}


class StateForm(Form):
    state: Literal["on", "off"]


async def _form(
    actor: Actor, kind: Channel, channel: ReachChannel | None, values: Fields, errors: dict[str, str]
) -> str:
    address, errors = reachable_address(), by_setting(kind.sets, errors)
    return await settings_page(
        actor, "channels/channel_form.html", SETTINGS_PAGE.key, kind=kind, channel=channel, values=values,
        errors=errors, without="" if address else kind.without_address, manifest=kind.manifest(settings().base_url),
        secrets=stored(channel).secrets if channel is not None else {},
        receives_at=read_channel(channel).address if channel is not None else "",
    )  # fmt: skip


def _kind(name: str) -> Channel:
    found = CHANNELS.get(name)
    if found is None or not found.sets:
        raise NotFound()
    return found


@pages.get(f"{PATH}/new/<kind>")
async def new_channel(kind: str) -> ResponseReturnValue:
    """Show how a channel of a kind is set up, step by step."""
    actor = await signed_in()
    require(actor, "channel.manage")
    found = _kind(kind)
    values = {"name": found.name, **{f"{FIELD}{setting.name}": setting.default for setting in found.sets}}
    return await _form(actor, found, None, values, {})


async def _refused_new(refusal: Refusal[None, NewChannelForm]) -> ResponseReturnValue:
    refusal.only()
    if refusal.form is None or refusal.form.kind not in CHANNELS:
        raise refusal.error
    return await _form(refusal.actor, _kind(refusal.form.kind), None, refusal.values, refusal.errors)


@action(pages, f"{PATH}/new", form=NewChannelForm, refused=_refused_new)
async def create_channel(outcome: Outcome[None, NewChannelForm]) -> ResponseReturnValue:
    """Set a channel up and show it in the list, with how the provider names it."""
    made: ChannelRead = outcome.answer
    return go(f"{PATH}#channel-{made.id}")


async def _edit(actor: Actor, channel: ReachChannel, values: Fields, errors: dict[str, str]) -> str:
    return await _form(actor, _kind(channel.kind), channel, values, errors)


@action(pages, f"{CHANNEL}/edit", form=ChannelForm, page=f"{CHANNEL}/edit", shows=_edit)
async def update_channel(outcome: Outcome[ReachChannel, ChannelForm]) -> ResponseReturnValue:
    return go(f"{PATH}#channel-{outcome.found.id}")


@action(pages, f"{CHANNEL}/state", performs="update_channel", form=StateForm)
async def switch_channel(outcome: Outcome[ReachChannel, StateForm]) -> ResponseReturnValue:
    words = "is switched off" if outcome.form.state == "off" else "is used again"
    return done(PATH, toast=f"{outcome.found.name} {words}.")


@action(pages, f"{CHANNEL}/tests")
async def test_channel(outcome: Outcome[ReachChannel, None]) -> ResponseReturnValue:
    """Ask the provider; how it went stands in the row."""
    tested: ChannelTest = outcome.answer
    name = outcome.found.name
    return done(PATH, toast=f"{name} works: {tested.words}" if tested.ok else f"{name}: {tested.words}")


async def _removal(actor: Actor, channel: ReachChannel, values: Fields, errors: dict[str, str]) -> str:
    accounts = await Device.filter(channel_id=channel.id, ended_at=None).count()
    return await settings_page(
        actor, "channels/channel_removal.html", SETTINGS_PAGE.key, channel=channel, accounts=accounts
    )


@action(pages, f"{CHANNEL}/removal", page=f"{CHANNEL}/removal", shows=_removal)
async def remove_channel(outcome: Outcome[ReachChannel, None]) -> ResponseReturnValue:
    return go(PATH)


@action(pages, f"{PATH}/messages/<uuid:message_id>/resends")
async def resend_message(outcome: Outcome[ReachMessage, None]) -> ResponseReturnValue:
    return done(f"{PATH}#failed", toast="It is sent again, if it still waits.")
