"""The application that was made last, with its settings and key: for loops, which run outside of requests."""

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from quart import Quart

if TYPE_CHECKING:
    from mission_control.core.settings import Settings


_made: list[Quart] = []


def keep(app: Quart) -> None:
    """Remember the application; called when it is made."""
    _made[:] = [app]


def app() -> Quart:
    return _made[0]


@contextlib.asynccontextmanager
async def inside() -> AsyncIterator[None]:
    """Run a block in the context of the application, as operations and templates need it."""
    async with app().app_context():
        yield


def settings() -> "Settings":
    configured: Settings = app().config["SETTINGS"]
    return configured


def secret_key() -> str:
    """Return the key that encrypts secrets in the database, and from which tokens of buttons derive."""
    key: str = app().config["SECRET_KEY"]
    return key
