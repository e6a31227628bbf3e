"""The palette: results for htmx while somebody types, and a page of results without JavaScript."""

import re
from uuid import UUID

from quart import Blueprint, request

from mission_control.core.addresses import parts_of
from mission_control.core.ids import parse_id
from mission_control.search.palette import palette
from mission_control.web.forms import is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("search_pages", __name__)
LONGEST_QUERY = 200
MOST_ON_PAGE = 100


@pages.get("/palette")
async def results() -> str:
    """Show the matches."""
    actor = await signed_in()
    query = request.args.get("q", "")[:LONGEST_QUERY].strip()
    if is_htmx():
        groups = await palette(actor, query, _current_board())
        return render_macro("ui/palette.html", "palette_results", groups=groups, query=query)
    groups = await palette(actor, query, _current_board(), limit=MOST_ON_PAGE)
    return await shell_page(actor, "search/index.html", active="", groups=groups, query=query)


def _current_board() -> UUID | None:
    """Return the board of the page on which the palette was opened."""
    path = parts_of(request.headers.get("HX-Current-URL", "")).path
    found = re.match(r"/boards/([0-9a-f-]{36})(?:/|$)", path)
    return parse_id(found[1] if found else request.args.get("board"))
