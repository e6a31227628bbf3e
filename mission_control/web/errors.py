"""Every error as an answer: the JSON envelope for programs, a helpful page for people, and one without the server."""

import logging
from http import HTTPStatus

from quart import Blueprint, Quart, Response, g, redirect, render_template, request
from quart.typing import ResponseReturnValue
from tortoise.exceptions import DoesNotExist
from werkzeug.exceptions import HTTPException

from mission_control.core.errors import DomainError, ErrorCode, NotFound, Unauthenticated
from mission_control.core.request_facts import current_request_id
from mission_control.core.values import to_json
from mission_control.database.outages import outage, trouble
from mission_control.http.compression import json_response
from mission_control.web.assets import asset, build, read
from mission_control.web.forms import FormInvalid, is_htmx
from mission_control.web.shell import sign_in_url

_log = logging.getLogger(__name__)


def install(app: Quart) -> None:
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(FormInvalid, _form_invalid)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def wants_json() -> bool:
    """Whether the caller is a program: everywhere in the API, and on pages where it asks for JSON and nothing else."""
    if request.path.startswith(("/api/", "/openapi", "/health", "/readyz", "/mcp")):
        return True
    accepted = request.headers.get("Accept", "")
    return "json" in accepted and "text/html" not in accepted and not is_htmx()


def envelope(detail: object, status: int, **more: object) -> Response:
    return json_response({"detail": detail, "request_id": current_request_id(), **more}, status)


def _answer(error: DomainError) -> Response:
    """A refusal in the shape that its caller reads.

    Agents get the object that an error may have. Clients of people read a sentence, so the machine word comes with
    it; where an error says more than these two, it stays an object.
    """
    detail, actor = error.detail, g.get("actor")
    if isinstance(error, Unauthenticated):
        return envelope(detail, error.status, code=ErrorCode.UNAUTHORIZED)
    is_agents = request.path.startswith("/api/v1/agent/") or "X-Agent-Token" in request.headers
    if not isinstance(detail, dict) or "code" not in detail or (is_agents if actor is None else actor.is_agent):
        return envelope(detail, error.status)
    content = detail["message"] if set(detail) == {"message", "code"} else detail
    return envelope(content, error.status, code=detail["code"])


async def _domain_error(error: DomainError) -> ResponseReturnValue:
    if wants_json():
        response = _answer(error)
    elif error.status == 401:
        return await _to_entrance()
    else:
        response = await error_page(error.status, _sentence(error))
    response.headers.extend(error.headers)
    return response


def _sentence(error: DomainError) -> str:
    if "Retry-After" in error.headers:
        minutes = max(1, round(int(error.headers["Retry-After"]) / 60))
        return f"To slow down guessing, this is closed for {minutes} min. Then try again."
    return "" if error.sentence == HTTPStatus(error.status).phrase else error.sentence


async def _to_entrance() -> ResponseReturnValue:
    if not is_htmx():
        return redirect(await sign_in_url(), 303)
    response = await error_page(401, "")
    if not request.path.endswith("/live"):  # a page whose stream ends stays readable and says "Signed out"
        response.headers["HX-Redirect"] = await sign_in_url()
    return response


async def _form_invalid(error: FormInvalid) -> ResponseReturnValue:
    labels = {name: f"{name.replace('_', ' ').capitalize()}: " if name else "" for name in error.errors}
    return await error_page(422, " ".join(f"{labels[name]}{text}" for name, text in error.errors.items()))


async def _http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    phrase = HTTPStatus(status).phrase
    if status < 400:
        return error.get_response()
    response = envelope(phrase, status) if wants_json() else await error_page(status, "")
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


async def _unexpected(error: Exception) -> ResponseReturnValue:
    if sentence := outage(error):
        _log.error("database.outage", extra={"reason": str(error)[:200]})
        trouble.noted(sentence)
        response = envelope(sentence, 503) if wants_json() else await error_page(503, sentence)
        response.headers["Retry-After"] = "2"
        return response
    if isinstance(error, DoesNotExist):  # it was there when its id was found, and was erased at that moment
        _log.info("gone_meanwhile", extra={"reason": str(error)})
        return await _domain_error(NotFound())
    _log.exception("unhandled_exception", exc_info=error)
    if wants_json():
        return envelope("Internal Server Error", 500)
    return await error_page(500, "")


async def error_page(status: int, sentence: str) -> Response:
    """A page that says what happened and what to do; htmx never swaps it, its `data-reason` becomes a toast."""
    phrase, request_id = HTTPStatus(status).phrase, current_request_id()
    context = {"status": status, "phrase": phrase, "sentence": sentence, "request_id": request_id}
    html = await render_template("layouts/error.html", **context)
    return Response(html, status, content_type="text/html; charset=utf-8")


pages = Blueprint("offline_pages", __name__)
PAGE = "/offline"
# What the page needs besides itself; all of it is the same for everybody.
FILES = ("css/app.css", "js/theme-init.js", "js/alone/offline.js", "vendor/inter-latin-wght-normal.woff2")


@pages.get("/service-worker.js")
async def service_worker() -> Response:
    files = to_json([PAGE, *(asset(name) for name in FILES)]).decode()
    icon = asset("icons/app-192.png")
    begin = f'const BUILD = "{build()}";\nconst FILES = {files};\nconst ICON = "{icon}";\n'
    text = begin + read("service-worker.js").decode()
    response = Response(text, content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    return response


@pages.get(PAGE)
async def offline() -> str:
    return await render_template("layouts/offline.html")
