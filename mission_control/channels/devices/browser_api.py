"""Devices of people over HTTP: browsers that take pushes."""

from typing import Annotated, Literal

from pydantic import Field
from quart import request

from mission_control.channels.devices.browsers import BrowserLink, link_browser, who_is
from mission_control.channels.devices.queries import DeviceRead, read_device
from mission_control.channels.installation import sealed
from mission_control.channels.providers.push.encryption import are_keys
from mission_control.channels.providers.push.hosts import APPLE, MOST_CHARACTERS, NO_NAME, maker_of, subject_of
from mission_control.channels.providers.push.provider import Subscription
from mission_control.core.actor import Actor
from mission_control.core.current_app import settings
from mission_control.core.errors import invalid_field
from mission_control.core.values import Body, example
from mission_control.http.operation_api import Api
from mission_control.people.accounts.names import device as name_of_browser
from mission_control.people.models import User

api = Api(__name__, "users")

OTHER_SERVICE = "This browser's push service is not one that is known here. Name its host in PUSH_HOSTS."
KEY = Annotated[str, Field(min_length=1, max_length=200)]


class BrowserCreate(Body):
    """A browser's subscription to pushes, made with the key of this installation."""

    model_config = Body.model_config | example(
        kind="push",
        endpoint="https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
        p256dh="BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        auth="BTBZMqHH6r4Tts7J_aSIgg",
    )

    kind: Literal["push"] = "push"
    endpoint: str = Field(min_length=1, max_length=MOST_CHARACTERS, description="Where its push service takes messages")
    p256dh: KEY = Field(description="The public key of the browser, as base64url")
    auth: KEY = Field(description="The secret of the subscription, as base64url")
    label: str = Field("", max_length=200, description="What to call it; without, its User-Agent says so")
    replaces: str = Field(
        "",
        max_length=MOST_CHARACTERS,
        description="The endpoint that this browser had before; 404 when that device was removed",
    )


@api.post("/users/me/reach/devices", rule="account.update")
async def add_my_browser(actor: Actor, user: User, data: BrowserCreate) -> DeviceRead:
    """Make a browser one of one's own devices: it shows what needs one, also while no page is open.

    A browser that is a device already stays the same one. It becomes nobody else's.
    """
    subscription = Subscription(data.endpoint, data.p256dh, data.auth)
    _refuse_useless(subscription)
    wanted = BrowserLink(
        who_is(data.endpoint),
        sealed(subscription.to_text()),
        data.label.strip() or name_of_browser(request.headers.get("User-Agent")),
        request.host_url.rstrip("/"),
        who_is(data.replaces) if data.replaces else "",
    )
    return read_device(await link_browser(actor, user, wanted))


def _refuse_useless(subscription: Subscription) -> None:
    """Raise Invalid when nothing could be sent there."""
    maker = maker_of(subscription.endpoint, settings())
    if maker is None:
        raise invalid_field("endpoint", OTHER_SERVICE)
    if maker == APPLE and subject_of(settings()) is None:
        raise invalid_field("endpoint", NO_NAME)
    if not are_keys(subscription.p256dh, subscription.auth):
        raise invalid_field("p256dh", "These are not the keys of a subscription.")
