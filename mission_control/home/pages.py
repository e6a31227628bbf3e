"""Home as a page: what needs a person, answered in place, and what goes on beside it."""

from markupsafe import Markup
from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor
from mission_control.home import regions
from mission_control.home.peek import peek, peek_if_there
from mission_control.home.regions import known_rows, state_of
from mission_control.home.view import DENSE_FROM, HomeAddress, HomeView
from mission_control.live.broker import head_of
from mission_control.web.forms import is_htmx
from mission_control.web.regions import Reads, live_page, rendered
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("home_pages", __name__)
NEED = "/needs/<string:need_id>"


@pages.get("/")
async def home() -> ResponseReturnValue:
    """Show what needs the reader, with the need that the address names beside it while that waits."""
    actor = await signed_in()
    address = HomeAddress.of_request()
    return await home_page(actor, address, await peek_if_there(actor, address.peek) if address.peek else "")


async def home_page(actor: Actor, address: HomeAddress, panel: str = "") -> str:
    """Return the page with a need beside the list, or without."""
    seq = await head_of(actor.organization_id)
    view = HomeView(actor=actor, pages=(regions.PAGE,), active="home", address=address)
    listed = await view.listed()
    layout = address.layout or ("dense" if listed.total >= DENSE_FROM else "roomy")
    return await shell_page(
        actor,
        "home/index.html",
        active="home",
        regions=await rendered(regions.PAGE, view),
        listed=listed,
        address=address,
        layout=layout,
        panel=Markup(panel),
        live_url=address.live(seq, layout, state_of(listed.found)),
    )


@pages.get("/home/live")
async def live() -> Response:
    """Keep Home live."""
    actor, address = await signed_in(), HomeAddress.of_request()
    sent = await known_rows(actor, address)

    async def look(viewer: Actor, reads: Reads) -> HomeView:
        return HomeView(actor=viewer, pages=(regions.PAGE,), active="home", reads=reads, address=address, sent=sent)

    return await live_page(actor, look)


@pages.get(NEED)
async def one(need_id: str) -> ResponseReturnValue:
    """Show one need: the panel alone for the open page, else Home with it."""
    actor = await signed_in()
    html = await peek(actor, need_id)
    if is_htmx():
        return f'<section id="panel">{html}</section>'
    return await home_page(actor, HomeAddress.of_request(), html)
