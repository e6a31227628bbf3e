"""What a message links to: a page that only its person, signed in, gets past."""

from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.channels.messages.links import open_message
from mission_control.web.forms import go
from mission_control.web.shell import signed_in

pages = Blueprint("message_pages", __name__)


@pages.get("/reach/<uuid:message_id>")
async def message(message_id: UUID) -> ResponseReturnValue:
    return go(await open_message(await signed_in(), message_id))
