"""The page with the sessions of a gateway, kept live."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote
from uuid import UUID

from quart import Blueprint, Response, request

from mission_control.core.policy import require
from mission_control.gateway_sessions.following import LIST, keep_watch, watch_id
from mission_control.gateway_sessions.reading import Reach
from mission_control.gateway_sessions.session_regions import gateway_now
from mission_control.gateway_sessions.session_view import render_list
from mission_control.gateways.models import Gateway
from mission_control.gateways.page_frame import head_of_gateway, tabs_of_gateway
from mission_control.gateways.page_tabs import Viewed
from mission_control.gateways.queries import visible_gateway
from mission_control.live.broker import head_of
from mission_control.live.models import Event
from mission_control.web.regions import Concerns, Region, View, live_page, rendered
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("gateway_sessions_list_pages", __name__)
PAGE = "gateway-sessions"
TAB = "sessions"
SESSIONS = "/gateways/<uuid:gateway_id>/sessions"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView(View):
    """The list of a gateway's sessions as somebody sees it."""

    gateway: Gateway
    search: str = ""


async def _view(gateway_id: UUID) -> ListView:
    actor = await signed_in()
    gateway = await visible_gateway(actor, gateway_id)
    require(actor, "gateway_session.read", Reach(gateway))
    return ListView(actor=actor, gateway=gateway, search=request.args.get("q", ""))


@pages.get(SESSIONS)
async def sessions(gateway_id: UUID) -> str:
    """Show the sessions of a gateway."""
    view = await _view(gateway_id)
    seq = await head_of(view.actor.organization_id)  # before everything that the page shows
    return await shell_page(
        view.actor,
        "gateway_sessions/index.html",
        active="gateways",
        gateway=view.gateway,
        search=view.search,
        regions=await rendered(PAGE, view),
        live_url=f"/gateways/{gateway_id}/sessions/live?after={seq}&q={quote(view.search, safe='')}",
    )


@pages.get(f"{SESSIONS}/live")
async def sessions_live(gateway_id: UUID) -> Response:
    """Stream what happens to the sessions of a gateway."""
    view = await _view(gateway_id)

    async def look(viewer: Any, reads: Any) -> ListView | None:
        gateway = await gateway_now(viewer, reads, gateway_id)
        if gateway is None:
            return None
        return replace(view, actor=viewer, pages=(PAGE,), active="gateways", reads=reads, gateway=gateway)

    return await live_page(view.actor, look, lambda: keep_watch(watch_id(gateway_id, LIST), lambda _: None))


async def _sessions(view: ListView) -> str:
    return await render_list(view.gateway, view.search)


def _list_key(view: ListView) -> tuple[UUID, str]:
    return view.gateway.id, view.search


def _is_about(view: ListView, news: Event | dict[str, Any]) -> bool:
    is_its_list = isinstance(news, dict) and news.get("gateway_sessions") == watch_id(view.gateway.id, LIST)
    return is_its_list or _is_about_gateway(view, news)


def _is_about_gateway(view: ListView, news: Event | dict[str, Any]) -> bool:
    if isinstance(news, Event):
        return news.subject_id == view.gateway.id
    return str(view.gateway.id) == news.get("gateway_id")


async def _head(view: ListView) -> str:
    return head_of_gateway(Viewed(view.actor, view.gateway))


async def _tabs(view: ListView) -> str:
    return tabs_of_gateway(Viewed(view.actor, view.gateway), TAB)


OF_GATEWAY = Concerns[ListView](("gateway.",), ("gateway_id",), _is_about_gateway)
NEWS = Concerns[ListView](("gateway.",), ("gateway_sessions", "gateway_id"), _is_about)
REGIONS = (
    Region(PAGE, "#gateway-head", OF_GATEWAY, _head, name="head"),
    Region(PAGE, "#gateway-tabs", OF_GATEWAY, _tabs, name="tabs"),
    Region(PAGE, "#gateway-sessions", NEWS, _sessions, key=_list_key, name="sessions"),
)
