"""The page with a person's notifications."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from quart import request
from quart.typing import ResponseReturnValue

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.values import whole_number
from mission_control.events.broker import News
from mission_control.notifications.commands import NotificationQuery, find_notifications, unread_count
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Fields, Form, done
from mission_control.web.lists import LiveList, Pages
from mission_control.web.regions import EVERY_PAGE, Concerns, Region, View
from mission_control.web.shell import PaletteEntry

pages = Pages("notifications_pages", __name__)
PAGE = "notifications"
SHOWN, MOST = 50, 200


@dataclass(frozen=True, slots=True)
class Address:
    """What the address asks for: the unread ones or all, and how many."""

    shows_all: bool
    limit: int

    @staticmethod
    def of_request() -> "Address":
        shown = min(whole_number(request.args.get("show"), 4) or SHOWN, MOST)
        return Address(request.args.get("all") == "1", max(shown, SHOWN))


async def _listed(actor: Actor, address: Address) -> dict[str, object]:
    query = NotificationQuery(limit=address.limit, offset=0, unread=not address.shows_all)
    found, total = await find_notifications(actor, query)
    newest = max((one.created_at for one in found if one.read_at is None), default=None)
    return {
        "items": found,
        "total": total,
        "address": address,
        "most": MOST,
        "unread": await unread_count(actor),
        "until": times.wire(newest) if newest is not None else "",
    }


async def _unread(view: View) -> str:
    return str(await unread_count(view.actor) or "")


def _is_own(view: View, news: News) -> bool:
    return isinstance(news, dict) and news.get("notified_user") == str(view.actor.id)


OWN = Concerns[View]((), ("notified_user",), _is_own)
REGIONS = (Region(EVERY_PAGE, "[data-unread-count]", OWN, _unread, swap="innerHTML"),)
LiveList(
    pages=pages, place=PAGE, path="/notifications", template="notifications/index.html", read=_listed, news=OWN,
    blocks=(PAGE,), asks=Address.of_request,
)  # fmt: skip


class ReadingForm(Form):
    """One notification that was read, or all until a moment."""

    id: UUID | None = None
    until: datetime | None = None

    def body(self, found: object) -> Fields:
        return {"until": self.until or times.clock_now()} if self.id is None else {"ids": [self.id]}


@action(pages, "/notifications/readings", form=ReadingForm)
async def mark_notifications_read(outcome: Outcome[None, ReadingForm]) -> ResponseReturnValue:
    return done("/notifications", toast="" if outcome.form.id else "All of them are read.")


ENTRY = PaletteEntry("Notifications", "/notifications", "bell", "mentions assigned unread", position=25)
