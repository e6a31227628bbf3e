"""Pages where a browser becomes a device: what they need to know, and the form that a module fills in."""

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.channels.devices.queries import DeviceRead
from mission_control.channels.models import Device
from mission_control.channels.providers.push.encryption import public_text
from mission_control.channels.providers.push.key import push_key
from mission_control.channels.trial_messages import send_test
from mission_control.core.current_app import settings
from mission_control.people.models import User
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done

pages = Blueprint("push_pages", __name__)
SETTINGS_PATH = "/settings/notifications"


async def subscribing_key() -> str:
    """Return the key to which browsers subscribe, for a page that includes `channels/push_device.html`."""
    return public_text(await push_key(settings()))


@action(pages, f"{SETTINGS_PATH}/devices")
async def add_my_browser(outcome: Outcome[User, None]) -> ResponseReturnValue:
    """Make this browser a device, and send it a first notification."""
    added: DeviceRead = outcome.answer
    tested = await send_test(outcome.actor, await Device.get(id=added.id))
    words = "A test is on its way." if tested.ok else f"But the test did not leave. {tested.words}"
    return done(SETTINGS_PATH, toast=f"{added.label} is one of your devices. {words}")


@action(pages, f"{SETTINGS_PATH}/devices/renewals", performs="add_my_browser")
async def renew_my_browser(outcome: Outcome[User, None]) -> ResponseReturnValue:
    """Keep this browser a device: it has another subscription."""
    return done(SETTINGS_PATH)
