"""The link that `mission-control demo` prints. It signs a browser in as the owner of the demo."""

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.accounts.entrance import begin_session
from mission_control.accounts.models import InstanceSetting, User
from mission_control.core.errors import NotFound
from mission_control.core.ids import fingerprint, new_secret
from mission_control.core.limits import unknown_tokens
from mission_control.demo.story import OWNER_EMAIL
from mission_control.http.proxies import client_ip, rate_limit_key
from mission_control.web.forms import go

pages = Blueprint("demo_pages", __name__)
LINK = "demo_link"
DEAD_LINK = "This link is of a demo that has ended. The newest one was printed where the demo was started."


async def new_link() -> str:
    """Return the path of a link that works until the next one is made or the demo is wiped."""
    secret = new_secret("mcd")
    await InstanceSetting.filter(name=LINK).delete()
    await InstanceSetting.create(name=LINK, value=fingerprint(secret))
    return f"/demo/{secret}"


@pages.get("/demo/<secret>")
async def enter(secret: str) -> ResponseReturnValue:
    """Begin a session of the demo's owner."""
    key = rate_limit_key(client_ip())
    unknown_tokens.check(key)
    known = await InstanceSetting.exists(name=LINK, value=fingerprint(secret))
    owner = await User.get_or_none(email=OWNER_EMAIL) if known else None
    if owner is None:
        unknown_tokens.failed(key)
        raise NotFound(DEAD_LINK)
    await begin_session(owner)
    return go("/")
