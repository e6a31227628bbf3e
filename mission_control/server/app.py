"""The application: configuration, extensions, features, and background loops."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
from quart import Quart
from quart.json.provider import JSONProvider
from tortoise.connection import get_connection

from mission_control.background import loops
from mission_control.core.paths import data_dir
from mission_control.core.secrets import audit_key, load_or_create_secret_key
from mission_control.core.settings import Settings
from mission_control.core.values import to_json
from mission_control.database.fit import verify_secret_key
from mission_control.database.migrate import pending
from mission_control.database.setup import CONNECTION, connect, disconnect
from mission_control.events.broker import Broker
from mission_control.events.commands import all_finished
from mission_control.events.event_log import use_key
from mission_control.http import middleware
from mission_control.http.authentication import SessionCookies
from mission_control.http.middleware import Application
from mission_control.mcp import endpoint as mcp_endpoint
from mission_control.server import installation
from mission_control.web import assets, errors, fragments

BROKER = "mission_control.broker"
STOPPING = "mission_control.stopping"
LEAVE = "mission_control.leave"  # called with the reason when this process must not go on


class OrjsonProvider(JSONProvider):
    """JSON by orjson."""

    def dumps(self, obj: object, **kwargs: object) -> str:
        return to_json(obj).decode()

    def loads(self, s: str | bytes, **kwargs: object) -> Any:
        return orjson.loads(s)


def create_app(settings: Settings | None = None) -> Quart:
    """Make the application; without settings it reads the environment."""
    settings = settings or Settings.from_environment()
    app = Application("mission_control", template_folder=str(data_dir("templates")), static_folder=None)
    app.json = OrjsonProvider(app)
    app.url_map.strict_slashes = False
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=load_or_create_secret_key(settings),
        QUART_AUTH_COOKIE_NAME="mission_control",
        QUART_AUTH_COOKIE_SECURE=settings.secure_cookies,
        QUART_AUTH_COOKIE_SAMESITE="Lax",
        QUART_AUTH_DURATION=int(timedelta(days=30).total_seconds()),
        QUART_AUTH_SALT="mission control session",
    )
    SessionCookies(app)
    mcp_endpoint.install(app, settings)
    middleware.middleware_install(app, settings)
    assets.install(app)
    fragments.install(app)
    errors.install(app)
    installation.serve(app)
    _attach_background(app, settings)
    return app


def _attach_background(app: Quart, settings: Settings) -> None:
    tasks: list[asyncio.Task[None]] = []

    @app.before_serving
    async def start() -> None:
        await connect(settings)
        use_key(audit_key(app.config["SECRET_KEY"]))
        broker = app.extensions[BROKER] = Broker(None if settings.uses_sqlite else settings.direct_url)
        if broker.listener is not None:
            broker.listener.check_fit = lambda: _check_fit(app)
            broker.listener.leave = app.extensions.get(LEAVE, broker.listener.leave)
        await broker.start()
        tasks.extend(loops.start(loops.LOOPS))

    @app.after_serving
    async def stop() -> None:
        begin_shutdown(app)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await app.extensions[BROKER].stop()
        await all_finished()
        await disconnect()


async def _check_fit(app: Quart) -> None:
    """Raise Misfit when the database is newer than this program, or was made with another key."""
    await pending(get_connection(CONNECTION))
    await verify_secret_key(app.config["SECRET_KEY"])


def begin_shutdown(app: Quart) -> None:
    """End all open streams; readiness fails from now on."""
    app.extensions[STOPPING] = True
    if BROKER in app.extensions:
        app.extensions[BROKER].close()
