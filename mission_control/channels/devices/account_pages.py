"""Pages on which a person adds an account of a chat, by a code, or an address that they type."""

from dataclasses import dataclass, replace
from uuid import UUID

from quart import Response
from quart.typing import ResponseReturnValue

from mission_control.channels.addresses import line_with
from mission_control.channels.channel import CHANNELS, Channel
from mission_control.channels.devices.accounts import LinkCodeRead, own_code, read_code
from mission_control.channels.devices.browser_pages import SETTINGS_PATH
from mission_control.channels.devices.queries import DeviceRead
from mission_control.channels.installation import reachable_address
from mission_control.channels.models import ReachChannel, ReachCode
from mission_control.channels.preferences.pages import LIST, SETTINGS_PAGE
from mission_control.channels.typed_form import TypedForm, by_setting
from mission_control.core.actor import Actor, require
from mission_control.core.errors import Conflict, Invalid, NotFound, TooMany
from mission_control.core.settings import ConfigError
from mission_control.events.broker import News, head_of
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, FormInvalid, go
from mission_control.web.fragments import render_macro
from mission_control.web.lists import Pages
from mission_control.web.regions import Concerns, Reads, Region, View, live_page, rendered
from mission_control.web.shell import settings_page, signed_in

pages = Pages("reach_link_pages", __name__)
CODES, ADDRESSES = f"{SETTINGS_PATH}/codes", f"{SETTINGS_PATH}/addresses"
CODE = f"{CODES}/<uuid:code_id>"
PLACE = "reach-code"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeView(View):
    """A code as its person sees it."""

    code: LinkCodeRead


def _is_own(view: CodeView, news: News) -> bool:
    return isinstance(news, dict) and news.get("reach_of") == str(view.actor.id)


async def _state(view: CodeView) -> str:
    return render_macro("channels/code_parts.html", "code_state", code=view.code)


REGIONS = (Region(PLACE, "#code-state", Concerns[CodeView]((), ("reach_of",), _is_own), _state),)


def _takes_answers(channel: ReachChannel) -> bool:
    """Return whether people can answer there, as it is set up; not where its secrets cannot be read."""
    try:
        return CHANNELS[channel.kind].takes_answers(line_with(channel))
    except ConfigError:
        return False


async def _code_page(actor: Actor, code: LinkCodeRead, **more: object) -> str:
    channel = await ReachChannel.get(id=code.channel_id)
    kind, seq = CHANNELS[channel.kind], await head_of(actor.organization_id)
    regions = await rendered(PLACE, CodeView(actor=actor, pages=(PLACE,), code=code))
    without = "" if reachable_address() or _takes_answers(channel) else kind.without_address
    more = {"text": "", "line": "", "link": "", "refused": ""} | more
    return await settings_page(
        actor, "channels/code.html", SETTINGS_PAGE.key, code=code, channel=channel, kind=kind, regions=regions,
        without=without, live_url=f"{CODES}/{code.id}/live?after={seq}", **more,
    )  # fmt: skip


async def _refused_code(refusal: Refusal[object, object]) -> ResponseReturnValue:
    refusal.only(Invalid, Conflict, TooMany, FormInvalid)
    return await LIST.show(refusal.actor, errors=refusal.errors)


@action(pages, CODES, refused=_refused_code)
async def make_my_reach_code(outcome: Outcome[None, object]) -> ResponseReturnValue:
    """Show a new code, this once, with what is done with it."""
    made = outcome.answer
    html = await _code_page(outcome.actor, made, text=made.code, line=made.line, link=made.link)
    return Response(html, headers={"Cache-Control": "no-store"}, mimetype="text/html")


@pages.get(CODE)
async def code(code_id: UUID) -> ResponseReturnValue:
    actor = await signed_in()
    return await _code_page(actor, await _read(actor, code_id))


@pages.get(f"{CODE}/live")
async def live(code_id: UUID) -> Response:
    actor = await signed_in()
    shown = CodeView(actor=actor, pages=(PLACE,), active="settings", code=await _read(actor, code_id))

    async def look(viewer: Actor, reads: Reads) -> CodeView | None:
        found = await ReachCode.get_or_none(id=code_id, user_id=viewer.id)
        if found is None:
            return None
        known = read_code(found, await ReachChannel.get(id=found.channel_id))
        return replace(shown, actor=viewer, reads=reads, code=known)

    return await live_page(actor, look)


async def _read(actor: Actor, code_id: UUID) -> LinkCodeRead:
    found = await own_code(actor, code_id)
    return read_code(found, await ReachChannel.get(id=found.channel_id))


async def _refused_confirmation(refusal: Refusal[ReachCode, None]) -> ResponseReturnValue:
    refusal.only(Conflict)
    return await _code_page(refusal.actor, await _read(refusal.actor, refusal.found.id), refused=refusal.sentence)


@action(pages, f"{CODE}/confirmations", refused=_refused_confirmation)
async def confirm_my_reach_code(outcome: Outcome[ReachCode, None]) -> ResponseReturnValue:
    return go(f"{SETTINGS_PATH}#devices")


@action(pages, f"{CODE}/endings")
async def drop_my_reach_code(outcome: Outcome[ReachCode, None]) -> ResponseReturnValue:
    return go(f"{SETTINGS_PATH}#devices")


class AddressForm(TypedForm):
    """An address of a kind, with a field for each thing that its channel needs."""

    kind: str = ""
    label: str = ""

    def body(self, found: object) -> Fields:
        return {"kind": self.kind, "label": self.label[:200], "values": self.values}


@pages.get(f"{ADDRESSES}/<kind>")
async def new_address(kind: str) -> ResponseReturnValue:
    actor = await signed_in()
    require(actor, "reach.choose")
    return await _address_page(actor, kind, {}, {})


def _typed(kind: str) -> Channel:
    found = CHANNELS.get(kind)
    if found is None or found.links != "typed":
        raise NotFound()
    return found


async def _address_page(actor: Actor, kind: str, values: Fields, errors: dict[str, str]) -> str:
    channel = _typed(kind)
    without = "" if reachable_address() else channel.without_address
    return await settings_page(
        actor, "channels/address.html", SETTINGS_PAGE.key, kind=channel, values=values, errors=errors, without=without
    )


async def _refused_address(refusal: Refusal[None, AddressForm]) -> ResponseReturnValue:
    refusal.only()
    form = refusal.form
    if form is None or form.kind not in CHANNELS or CHANNELS[form.kind].links != "typed":
        raise refusal.error
    errors = by_setting(CHANNELS[form.kind].own, refusal.errors)
    return await _address_page(refusal.actor, form.kind, refusal.values, errors)


@action(pages, ADDRESSES, form=AddressForm, refused=_refused_address)
async def add_my_address(outcome: Outcome[None, AddressForm]) -> ResponseReturnValue:
    """Add an address; its row has a Test button."""
    added: DeviceRead = outcome.answer
    return go(f"{SETTINGS_PATH}#device-{added.id}")
