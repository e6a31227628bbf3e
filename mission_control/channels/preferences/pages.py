"""The page on which people choose how they are reached: its live lists, its forms, and what was sent to them."""

from datetime import date, time
from uuid import UUID

from pydantic import Field
from quart import Response, request
from quart.typing import ResponseReturnValue

from mission_control.channels.delivery.plan import How
from mission_control.channels.devices.browser_pages import SETTINGS_PATH, subscribing_key
from mission_control.channels.devices.queries import DeviceTest
from mission_control.channels.messages.queries import MessagesQuery, messages_of
from mission_control.channels.models import Device
from mission_control.channels.preferences.commands import Mode, Shows
from mission_control.channels.preferences.queries import around, chosen, next_digest_at, next_digest_of, reached
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.events.broker import News
from mission_control.people.models import User
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, done, go, is_htmx
from mission_control.web.fragments import PageContext
from mission_control.web.lists import LiveList, Pages
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import SettingsPage, settings_page, signed_in

pages = Pages("reach_pages", __name__)
PATH = SETTINGS_PATH
SETTINGS_PAGE = SettingsPage(
    "notifications", "You", "Notifications", PATH, "bell", 30,
    "mentions assigned browser alerts push device phone quiet hours digest mail slack telegram away",
)  # fmt: skip
LAST, ALL = 10, 200


def _is_own(view: View, news: News) -> bool:
    return isinstance(news, dict) and ("reach_channel" in news or news.get("reach_of") == str(view.actor.id))


OWN = Concerns[View](("channel.",), ("reach_of", "reach_channel"), _is_own)


async def _lists(actor: Actor, _: object) -> PageContext:
    messages, total = await messages_of(actor, MessagesQuery(limit=LAST, offset=0))
    return {
        "reached": await reached(actor), "messages": messages, "total": total, "values": await chosen(actor),
        "errors": {}, **await around(actor),
    }  # fmt: skip


async def _around(actor: Actor) -> PageContext:
    saved = request.method == "GET" and request.args.get("saved") == "1"
    return {"is_saved": saved, "push_key": await subscribing_key()}


LIST = LiveList(
    pages=pages, place=SETTINGS_PAGE, template="channels/settings.html", read=_lists, news=OWN,
    blocks=("reach_mode", "reach_devices", "reach_quiet", "reach_differ", "reach_sent"), asks=lambda: "",
    around=_around,
)  # fmt: skip


def _hows(differing: list[str]) -> dict[str, str]:
    return dict(one.rsplit(":", 1) for one in differing if ":" in one)


class ChoicesForm(Form):
    """All that is chosen on the page: `kinds` and `boards` are what differs, each with how, behind a colon."""

    mode: Mode = "devices"
    next_after: int = 10
    has_quiet: bool = False
    quiet_from: str = ""
    quiet_to: str = ""
    days_off: list[int] = []
    wake: bool = False
    shows: Shows = "title"
    only_blocking: bool = False
    morning: bool = False
    mail: bool = False
    kinds: list[str] = []
    boards: list[str] = []
    board: UUID | None = None
    how: How = "digest"

    def body(self, found: object) -> Fields:
        differing = _hows(self.boards)
        if self.board is not None:
            differing[str(self.board)] = self.how
        quiet = {"quiet_from": self.quiet_from, "quiet_to": self.quiet_to}
        empty = [name for name, time in quiet.items() if not time]
        if self.has_quiet and empty:  # so is a field of a browser while only a part of the time is typed
            raise FormInvalid(self.model_dump(), {empty[0]: "Enter a time such as 22:00."})
        fields = self.model_dump(exclude={"kinds", "boards", "board", "how", *empty})
        fields["mail"] = self.mail or self.mode == "mail"
        fields["kinds"] = _hows(self.kinds)
        fields["boards"] = [{"board_id": board, "how": how} for board, how in differing.items()]
        return fields


async def _refused_choices(refusal: Refusal[None, ChoicesForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid, Invalid)
    return await LIST.show(refusal.actor, values=refusal.values, errors=refusal.errors)


@action(pages, PATH, form=ChoicesForm, refused=_refused_choices)
async def set_my_reach(outcome: Outcome[None, ChoicesForm]) -> ResponseReturnValue:
    if outcome.form.board is None:
        return done(f"{PATH}?saved=1")
    # The page has another row now, and its address is the same.
    return Response("", 204, {"HX-Refresh": "true"}) if is_htmx() else go(f"{PATH}?saved=1#boards")


class AwayForm(Form):
    """Until which day somebody is away, and who is asked in their place."""

    away_until: str = Field("", max_length=10)
    stand_in_id: UUID | None = None

    def body(self, found: object) -> Fields:
        if not self.away_until:
            return {"away_until": None, "stand_in_id": self.stand_in_id}
        try:
            day = date.fromisoformat(self.away_until)
        except ValueError:
            raise FormInvalid(self.model_dump(), {"away_until": "Enter a date such as 2026-12-24."}) from None
        until = times.at(day, time(0), times.reader())
        if until <= times.clock_now():
            raise FormInvalid(self.model_dump(), {"away_until": "Enter a day that is to come, on which you are back."})
        return {"away_until": times.wire(until), "stand_in_id": self.stand_in_id}


async def _refused_absence(refusal: Refusal[None, AwayForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid, Invalid)
    typed = {"away_until": refusal.values.get("away_until", ""), "stand_in": str(refusal.values.get("stand_in_id"))}
    return await LIST.show(refusal.actor, errors=refusal.errors, **typed)


@action(pages, f"{PATH}/away", performs="update_me", form=AwayForm, refused=_refused_absence)
async def be_away(outcome: Outcome[User, AwayForm]) -> ResponseReturnValue:
    return done(f"{PATH}?saved=1#quiet", toast="You are away." if outcome.form.away_until else "You are back.")


class OrderForm(Form):
    """The devices in their order, and the one that goes a place further up."""

    ids: list[UUID] = []
    up: UUID

    def body(self, found: object) -> Fields:
        ids = list(self.ids)
        if self.up in ids and (at := ids.index(self.up)):
            ids.insert(at - 1, ids.pop(at))
        return {"ids": ids}


@action(pages, f"{PATH}/order", form=OrderForm)
async def order_my_devices(outcome: Outcome[None, OrderForm]) -> ResponseReturnValue:
    """Put a device a place further up."""
    return done(f"{PATH}#devices")


@action(pages, f"{PATH}/devices/<uuid:device_id>/removals")
async def remove_my_device(outcome: Outcome[Device, None]) -> ResponseReturnValue:
    return done(f"{PATH}#devices", toast=f"{outcome.found.label} no longer reaches you.")


@action(pages, f"{PATH}/devices/<uuid:device_id>/tests")
async def test_my_device(outcome: Outcome[Device, None]) -> ResponseReturnValue:
    """Send a test; how it went stands in the row of the device."""
    return done(f"{PATH}#devices", toast=_how(outcome.answer, outcome.found.label))


@action(pages, f"{PATH}/mail/tests")
async def test_my_mail(outcome: Outcome[None, None]) -> ResponseReturnValue:
    return done(f"{PATH}#devices", toast=_how(outcome.answer, "Your mail server"))


def _how(tested: DeviceTest, label: str) -> str:
    return f"{label} took a test after {tested.seconds:.1f} s" if tested.ok else f"{label}: {tested.words}"


@pages.get(f"{PATH}/next")
async def next_digest() -> str:
    actor = await signed_in()
    sections = await next_digest_of(actor)
    at = await next_digest_at(actor)
    return await settings_page(actor, "channels/next.html", SETTINGS_PAGE.key, sections=sections, at=at)


async def _all(actor: Actor, _: object) -> PageContext:
    messages, total = await messages_of(actor, MessagesQuery(limit=ALL, offset=0))
    return {"messages": messages, "total": total}


LiveList(
    pages=pages, place=SETTINGS_PAGE, path=f"{PATH}/sent", template="channels/sent.html", read=_all, news=OWN,
    blocks=("reach_sent",), asks=lambda: "",
)  # fmt: skip
