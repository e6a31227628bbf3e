"""The page behind "No more mail": reading it changes nothing, its button and mail programs post."""

from quart import Blueprint, render_template
from quart.typing import ResponseReturnValue

from mission_control.channels.devices import unsubscribing
from mission_control.http.request_log import SecretPath
from mission_control.web.actions import session_action

pages = Blueprint("stop_pages", __name__)
SECRET = SecretPath("/reach/off/")


@pages.get("/reach/off/<token>")
async def no_more_mail(token: str) -> ResponseReturnValue:
    await unsubscribing.person_of(token)
    return await render_template("channels/stop.html", has_ended=False)


@session_action(pages, "/reach/off/<token>", performs=unsubscribing.stop, from_anywhere=True)
async def mail_ended(form: None, _: None) -> ResponseReturnValue:
    """Say that mail has ended, by a page and without a redirect: mail programs follow none."""
    return await render_template("channels/stop.html", has_ended=True)
