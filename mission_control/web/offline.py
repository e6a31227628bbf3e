"""What a browser shows without the server: a service worker that knows one page and keeps no other."""

from quart import Blueprint, Response

from mission_control.core.json import to_json
from mission_control.web.assets import asset, build, read
from mission_control.web.fragments import render_page

pages = Blueprint("offline_pages", __name__)
PAGE = "/offline"
# What the page needs besides itself; all of it is the same for everybody.
FILES = ("css/app.css", "js/theme-init.js", "vendor/inter-latin-wght-normal.woff2")


@pages.get("/service-worker.js")
async def service_worker() -> Response:
    """Give the worker, which is another one with each build."""
    known = to_json([PAGE, *(asset(name) for name in FILES)]).decode()
    text = f'const BUILD = "{build()}";\nconst FILES = {known};\n{read("service-worker.js").decode()}'
    response = Response(text, content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    return response


@pages.get(PAGE)
async def offline() -> str:
    """Say that the server cannot be reached."""
    return await render_page("errors/offline.html")
