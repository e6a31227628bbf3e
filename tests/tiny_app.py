"""A small application with the HTTP middleware and a few plain routes, for tests of the middleware alone."""

import asyncio
from collections.abc import AsyncIterator

from quart import Quart, Response, request

from mission_control.core.settings import Settings
from mission_control.http import middleware


def settings_with(**environment: str) -> Settings:
    """Settings as if only these variables were set."""
    return Settings.from_environment(environment)


def tiny_app(**environment: str) -> Quart:
    app = Quart("tests.tiny_app", static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.url_map.strict_slashes = False  # as in the application
    middleware.middleware_install(app, settings_with(**environment))
    app.add_url_rule("/page", "page", _page)
    app.add_url_rule("/boom", "boom", _boom)
    app.add_url_rule("/stream", "stream", _stream)
    app.add_url_rule("/endless", "endless", _endless)
    app.add_url_rule("/never", "never", _never)
    app.add_url_rule("/echo", "echo", _echo, methods=["POST"])
    app.add_url_rule("/seen", "seen", _seen)
    app.add_url_rule("/api/v1/things", "things", _seen, methods=["GET", "POST"])
    return app


async def _page() -> str:
    size = int(request.args.get("size", "10"))
    return "x" * size


async def _boom() -> str:
    raise RuntimeError("boom")


async def _stream() -> Response:
    async def events() -> AsyncIterator[bytes]:
        yield b"data: " + b"x" * 5000 + b"\n\n"

    return Response(events(), content_type="text/event-stream")


async def _endless() -> Response:
    async def events() -> AsyncIterator[bytes]:
        yield b": here\n\n"
        await asyncio.Event().wait()

    response = Response(events(), content_type="text/event-stream")
    response.timeout = None
    return response


async def _never() -> Response:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def _echo() -> Response:
    body = await request.get_data(as_text=False)
    return Response(body, content_type="application/octet-stream")


async def _seen() -> dict[str, str | None]:
    from mission_control.core.request_facts import current_request_id
    from mission_control.http.proxies import client_ip

    return {"client": client_ip(), "scheme": request.scheme, "host": request.host, "request_id": current_request_id()}
