"""Signing in with the identity provider: a link that leads there, and the way back."""

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.people import flow

pages = Blueprint("identity_pages", __name__, url_prefix="/sign-in")


@pages.get("/provider")
async def depart() -> ResponseReturnValue:
    """Redirect to the provider."""
    return await flow.depart()


@pages.get("/callback")
async def arrive() -> ResponseReturnValue:
    """Take the provider's answer and start a session."""
    return await flow.arrive()
