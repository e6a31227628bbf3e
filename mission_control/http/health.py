"""Report whether the process is alive, and whether it is ready for work."""

import asyncio
import logging
from typing import Any

from quart import Quart, Response, jsonify
from tortoise.connection import get_connection

from mission_control.config import Settings
from mission_control.database.migrate import pending
from mission_control.database.outages import outage
from mission_control.database.trouble import trouble

CHECK_SECONDS = 2.0
OK = "ok"

logger = logging.getLogger(__name__)


def install(app: Quart, settings: Settings) -> None:
    """Answer /health and /healthz while the process lives, /readyz when database and events work."""

    async def alive() -> Response:
        return jsonify({"ok": True})

    async def ready() -> tuple[Response, int]:
        checks = await _checks(app, settings)
        fine = all(result == OK for result in checks.values())
        body: dict[str, Any] = {"ok": True} if fine else {"ok": False, "checks": checks}
        return jsonify(body), 200 if fine else 503

    app.add_url_rule("/health", "health", alive)
    app.add_url_rule("/healthz", "healthz", alive)
    app.add_url_rule("/readyz", "readyz", ready)


async def failing(app: Quart) -> dict[str, str]:
    """Return the checks that fail, each with its reason in a few words."""
    checks = await _checks(app, app.config["SETTINGS"])
    return {name: result for name, result in checks.items() if result != OK}


async def _checks(app: Quart, settings: Settings) -> dict[str, str]:
    """Return "ok" or a reason for each part, without secrets."""
    if app.extensions.get("mission_control.stopping"):
        return {"database": OK, "migrations": OK, "events": "the server is stopping"}
    database, migrations = await _database_checks(settings)
    return {"database": database, "migrations": migrations, "events": _events_check(app)}


async def _database_checks(settings: Settings) -> tuple[str, str]:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            waiting = await pending(get_connection("default"))
            wrong = await trouble.now(settings.sqlite_path)
    except TimeoutError:
        return "no answer in time", "unknown"
    except Exception as error:
        logger.exception("health.database.failed")
        return outage(error) or "cannot be reached", "unknown"
    return wrong or OK, f"{len(waiting)} pending" if waiting else OK


def _events_check(app: Quart) -> str:
    broker = app.extensions.get("mission_control.broker")
    return OK if broker is None else broker.healthy() or OK
