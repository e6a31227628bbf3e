"""The page with a person's notifications, and the settings for the browser's own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.live.broker import head_of
from mission_control.live.models import Event
from mission_control.notifications.queries import list_notifications, unread_count
from mission_control.notifications.schemas import NotificationQuery, NotificationReading
from mission_control.notifications.sentences import place_of, sentence_of
from mission_control.web.actions import Form, action
from mission_control.web.forms import done
from mission_control.web.fragments import render_block
from mission_control.web.outcomes import Outcome
from mission_control.web.regions import EVERY_PAGE, Concerns, Reads, Region, View, live_page
from mission_control.web.settings import SettingsPage, settings_page
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("notifications_pages", __name__)
PAGE, TEMPLATE = "notifications", "notifications/index.html"
SETTINGS_PATH = "/settings/notifications"
SETTINGS_PAGE = SettingsPage(
    "notifications", "You", "Notifications", SETTINGS_PATH, "bell", 30, "mentions assigned browser alerts"
)
SHOWN, MOST = 50, 200


@pages.get("/notifications")
async def notifications() -> str:
    """Show where the reader was mentioned and what was assigned to them."""
    actor = await signed_in()
    address = Address.of_request()
    live_url = f"/notifications/live?{address.query}&after={await head_of(actor.organization_id)}"
    context = await _listed(actor, address)
    return await shell_page(actor, TEMPLATE, active="notifications", live_url=live_url, **context)


@dataclass(frozen=True, slots=True)
class Address:
    """What the address asks for: the unread ones or all, and how many."""

    shows_all: bool
    limit: int

    @staticmethod
    def of_request() -> "Address":
        """Return what the address of the request asks for."""
        more = request.args.get("show", "")
        shown = min(int(more), MOST) if more.isascii() and more.isdigit() and len(more) < 5 else SHOWN
        return Address(request.args.get("all") == "1", max(shown, SHOWN))

    @property
    def query(self) -> str:
        """The query of the page's address."""
        return f"all={int(self.shows_all)}&show={self.limit}"


async def _listed(actor: Actor, address: Address) -> dict[str, Any]:
    query = NotificationQuery(limit=address.limit, offset=0, unread=not address.shows_all)
    found, total = await list_notifications(actor, query)
    newest = max((str(one["created_at"]) for one in found if one["read_at"] is None), default="")
    return {
        "items": [_shown(one) for one in found],
        "total": total,
        "address": address,
        "most": MOST,
        "unread": await unread_count(actor),
        "until": newest,
    }


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    moment = clock.parse_since(one["created_at"])
    return one | {"created_at": moment, "sentence": sentence_of(one), "url": place_of(one)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView(View):
    """The list as somebody sees it."""

    address: Address


@pages.get("/notifications/live")
async def live() -> Response:
    """Keep the list live."""
    address = Address.of_request()

    async def look(viewer: Actor, reads: Reads) -> ListView:
        return ListView(actor=viewer, pages=(PAGE,), active="notifications", reads=reads, address=address)

    return await live_page(await signed_in(), look)


async def _list(view: ListView) -> str:
    return await render_block(TEMPLATE, "notifications", **await _listed(view.actor, view.address))


async def _unread(view: View) -> str:
    return str(await unread_count(view.actor) or "")


def _is_own(view: View, news: Event | dict[str, Any]) -> bool:
    return isinstance(news, dict) and news.get("notified_user") == str(view.actor.id)


OWN = Concerns[View]((), ("notified_user",), _is_own)
REGIONS = (
    Region(EVERY_PAGE, "[data-unread-count]", OWN, _unread, swap="innerHTML"),
    Region(PAGE, "#notifications", Concerns[ListView]((), ("notified_user",), _is_own), _list),
)


class ReadingForm(Form):
    """One notification that was read, or all until a moment."""

    id: UUID | None = None
    until: datetime | None = None

    def body(self, found: Any) -> NotificationReading:
        """Return what was read."""
        if self.id is not None:
            return NotificationReading(ids=[self.id])
        return NotificationReading(until=self.until or clock.now())


@action(pages, "POST", "/notifications/readings", performs="mark_notifications_read", form=ReadingForm)
async def mark_read(outcome: Outcome[None, ReadingForm]) -> ResponseReturnValue:
    """Mark one or all as read."""
    return done("/notifications", toast="" if outcome.form.id else "All of them are read.")


@pages.get(SETTINGS_PATH)
async def settings() -> str:
    """Show how a browser notifies."""
    return await settings_page(await signed_in(), "notifications/settings.html", "notifications")
