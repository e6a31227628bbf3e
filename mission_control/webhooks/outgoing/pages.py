"""Outgoing webhooks as pages: those of a board and of the organization, and one with what it sent."""

import json
from dataclasses import dataclass, replace
from urllib.parse import urlsplit
from uuid import UUID

from quart import Response, request
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.boards.pages import on_board
from mission_control.boards.queries import present
from mission_control.core.actor import Actor, can, require
from mission_control.core.errors import NotFound
from mission_control.core.values import JsonObject, Paging, json_values
from mission_control.events.broker import News, head_of
from mission_control.events.models import Event
from mission_control.web.fragments import PageContext, render_macro
from mission_control.web.lists import Asked, LiveList, Pages, number_asked
from mission_control.web.regions import Concerns, Reads, Region, View, live_page, rendered
from mission_control.web.shell import SettingsPage, administers, shell_page, signed_in
from mission_control.webhooks.models import OutgoingDelivery, OutgoingWebhook
from mission_control.webhooks.outgoing.api import key_of_installation
from mission_control.webhooks.outgoing.kinds import family_words
from mission_control.webhooks.outgoing.queries import (
    OutgoingDeliveryQuery,
    OutgoingWebhookRead,
    deliveries_of,
    read_webhooks,
    visible_outgoing_webhook,
    webhooks_at,
)
from mission_control.webhooks.outgoing.sending import bodies_of

HOME = "/settings/webhooks"
BOARD = "/boards/<uuid:board_id>/outgoing-webhooks"
ONE = "/outgoing-webhooks/<uuid:outgoing_webhook_id>"
LISTED, SHOWN = "outgoing webhooks", "outgoing webhook"
PARTS, DELIVERIES = "webhooks/outgoing_parts.html", "webhooks/outgoing_deliveries.html"
MOST_LISTED, SIZE = Paging(limit=100, offset=0), 20
# How long ago something began that is sent again: hours, and in words.
SPANS = (("1", "the last hour"), ("24", "the last day"), ("168", "the last week"), ("720", "the last 30 days"))
KINDS, SIGNALS = ("outgoing_webhook.",), ("outgoing_webhook_id",)

pages = Pages("outgoing_webhooks_pages", __name__)
SETTINGS = SettingsPage(
    "webhooks", "Organization", "Webhooks", HOME, "webhook", 175, "outgoing events messages", may=administers
)


@dataclass(frozen=True, slots=True)
class Shown:
    """An outgoing webhook as pages show it: its host, and what it sends in words."""

    hook: OutgoingWebhookRead
    host: str
    sends: str

    @property
    def url(self) -> str:
        return f"/outgoing-webhooks/{self.hook.id}"


def shown(hook: OutgoingWebhookRead) -> Shown:
    words = [family_words(kind) if kind.endswith(".*") else kind for kind in hook.kinds]
    return Shown(hook, urlsplit(hook.url).netloc, ", ".join(words) or "everything that happens")


async def listed(organization_id: UUID, board_id: UUID | None) -> list[Shown]:
    found, _ = await webhooks_at(organization_id, board_id, MOST_LISTED)
    return [shown(webhook) for webhook in await read_webhooks(found, key_of_installation())]


async def _of_organization(actor: Actor, asked: Asked) -> PageContext:
    return {"webhooks": await listed(actor.organization_id, None)}


LiveList(
    pages=pages, place=SETTINGS, template="webhooks/outgoing_settings.html", read=_of_organization,
    verb="outgoing_webhook.list", news=Concerns[View](KINDS, SIGNALS), is_shared=True,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingView(View):
    """The outgoing webhooks of a board, or one with a part of what it sent; `first` is how many come before that."""

    board: Board | None
    webhook_id: UUID | None = None
    first: int = 0


def _key(view: OutgoingView) -> object:
    return view.board.id if view.board else None, view.webhook_id, view.first


def _on_board(view: OutgoingView, news: News) -> bool:
    return not isinstance(news, Event) or (view.board is not None and news.board_id == view.board.id)


def _about(view: OutgoingView, news: News) -> bool:
    named = news.subject_id if isinstance(news, Event) else news.get("outgoing_webhook_id")
    return str(named) == str(view.webhook_id)


async def _rows(view: OutgoingView) -> str:
    assert view.board is not None
    found = await listed(view.board.organization_id, view.board.id)
    return render_macro(PARTS, "rows", webhooks=found, new=f"{list_of(view.board)}/new")


async def _one(view: OutgoingView) -> Shown | None:
    row = await OutgoingWebhook.get_or_none(id=view.webhook_id)
    found = [] if row is None else await read_webhooks([row], key_of_installation())
    return shown(found[0]) if found else None


async def _head(view: OutgoingView) -> str:
    one = await _one(view)
    if one is None:
        return render_macro(PARTS, "gone", url=list_of(view.board))
    return render_macro(PARTS, "head", one=one)


async def _deliveries(view: OutgoingView) -> str:
    one = await _one(view)
    if one is None:
        return ""
    query = OutgoingDeliveryQuery(limit=SIZE, offset=view.first)
    found, total = await deliveries_of(one.hook.id, query)
    return render_macro(
        DELIVERIES, "deliveries", one=one, deliveries=await _with_texts(found), first=view.first, size=SIZE, total=total
    )


async def _with_texts(found: list[OutgoingDelivery]) -> list[tuple[OutgoingDelivery, str]]:
    bodies = await bodies_of(found)
    return [(one, _text(bodies[one.id]) if one.id in bodies else "") for one in found]


def _text(body: JsonObject) -> str:
    return json.dumps(json_values(body), indent=2, ensure_ascii=False)


def list_of(board: Board | None) -> str:
    return HOME if board is None else f"/boards/{board.id}/outgoing-webhooks"


REGIONS = (
    Region(LISTED, "#outgoing-webhooks", Concerns[OutgoingView](KINDS, SIGNALS, _on_board), _rows, _key),
    Region(SHOWN, "#outgoing-head", Concerns[OutgoingView](KINDS, SIGNALS, _about), _head, _key),
    Region(SHOWN, "#outgoing-deliveries", Concerns[OutgoingView](KINDS, SIGNALS, _about), _deliveries, _key),
)


@pages.get(BOARD)
async def on_a_board(board_id: UUID) -> ResponseReturnValue:
    actor, board = await on_board(board_id)
    require(actor, "outgoing_webhook.list", board)
    view, seq = _view(actor, board), await head_of(board.organization_id)
    return await shell_page(
        actor, "webhooks/outgoing_index.html", active=view.active, board=board, new=f"{list_of(board)}/new",
        regions=await rendered(LISTED, view), live_url=f"{list_of(board)}/live?after={seq}",
    )  # fmt: skip


def _view(actor: Actor, board: Board | None, webhook_id: UUID | None = None) -> OutgoingView:
    return OutgoingView(
        actor=actor, pages=(SHOWN if webhook_id else LISTED,), active=active_of(board), board=board,
        webhook_id=webhook_id, first=number_asked("from"),
    )  # fmt: skip


def active_of(board: Board | None) -> str:
    return "settings" if board is None else f"board-{board.id}"


@pages.get(f"{BOARD}/live")
async def live_on_a_board(board_id: UUID) -> Response:
    actor, board = await on_board(board_id)
    require(actor, "outgoing_webhook.list", board)
    view = _view(actor, board)

    async def look(viewer: Actor, reads: Reads) -> OutgoingView | None:
        current = await present(board)
        if current is None or not can(viewer, "outgoing_webhook.list", current):
            return None
        return replace(view, actor=viewer, board=current, reads=reads)

    return await live_page(actor, look)


async def reached(outgoing_webhook_id: UUID) -> tuple[Actor, OutgoingWebhook, Board | None]:
    """Return the person who asks, in the organization of a webhook that they may read, the webhook, and its board."""
    actor = await signed_in()
    webhook = await visible_outgoing_webhook(actor, outgoing_webhook_id)
    require(actor, "outgoing_webhook.read", webhook)
    board = webhook.board if webhook.board_id is not None else None
    return replace(actor, organization_id=webhook.organization_id), webhook, board


@pages.get(ONE)
async def show(outgoing_webhook_id: UUID) -> ResponseReturnValue:
    actor, webhook, board = await reached(outgoing_webhook_id)
    view, seq = _view(actor, board, webhook.id), await head_of(webhook.organization_id)
    return await shell_page(
        actor, "webhooks/outgoing_show.html", active=view.active, webhook=webhook, board=board, back=list_of(board),
        regions=await rendered(SHOWN, view), spans=SPANS,
        live_url=f"/outgoing-webhooks/{webhook.id}/live?from={view.first}&after={seq}",
    )  # fmt: skip


@pages.get(f"{ONE}/live")
async def live(outgoing_webhook_id: UUID) -> Response:
    actor, webhook, board = await reached(outgoing_webhook_id)
    view = _view(actor, board, webhook.id)

    async def look(viewer: Actor, reads: Reads) -> OutgoingView | None:
        current = None if board is None else await present(board)
        if board is not None and current is None:
            return None
        webhook.board = current
        if not can(viewer, "outgoing_webhook.read", webhook):
            return None
        return replace(view, actor=viewer, board=current, reads=reads)

    return await live_page(actor, look)


def board_asked() -> UUID | None:
    found = (request.view_args or {}).get("board_id")
    if found is not None and not isinstance(found, UUID):
        raise NotFound()
    return found
