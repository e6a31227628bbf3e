"""The link that signs a browser in as the owner of the demo, and removing the demo."""

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor, system
from mission_control.core.errors import NotFound
from mission_control.core.limits import unknown_tokens
from mission_control.core.values import fingerprint, new_secret
from mission_control.events.commands import command
from mission_control.events.event_log import AccountKind
from mission_control.events.leases import Delivery
from mission_control.events.models import Event
from mission_control.http import lookups
from mission_control.http.proxies import client_ip, rate_limit_key
from mission_control.http.request_log import SecretPath
from mission_control.people.audit.account_log import record_account
from mission_control.people.models import InstanceSetting, Member, Organization, User
from mission_control.people.sign_in.browser_sessions import begin_session
from mission_control.web.forms import go

SECRET = SecretPath("/demo/")

ACCOUNT_EVENTS = (AccountKind("account.demo_removed", "The demo's account was deleted."),)

pages = Blueprint("demo_pages", __name__)
OWNER = ("demo@example.com", "Mara Lindqvist", "owner")
LINK = "demo_link"
DEAD_LINK = "This link is of a demo that has ended. The newest one was printed where the demo was started."


async def new_link() -> str:
    """Return the path of a link that works until the next one is made or the demo is wiped."""
    secret = new_secret("mcd")
    await InstanceSetting.put(LINK, fingerprint(secret))
    return f"/demo/{secret}"


@pages.get("/demo/<secret>")
async def enter(secret: str) -> ResponseReturnValue:
    """Begin a session of the demo's owner."""
    key = rate_limit_key(client_ip())
    unknown_tokens.check(key)
    known = await InstanceSetting.exists(name=LINK, value=fingerprint(secret))
    owner = await User.get_or_none(email=OWNER[0]) if known else None
    if owner is None:
        unknown_tokens.failed(key)
        raise NotFound(DEAD_LINK)
    await begin_session(owner)
    return go("/")


async def wipe() -> int:
    """Remove every demo organization. Return how many there were."""
    found = await Organization.filter(is_demo=True)
    for organization in found:
        await _remove(system(), organization)
    return len(found)


@command("organization.reset_demo")
async def _remove(actor: Actor, organization: Organization) -> None:
    people = await Member.filter(organization_id=organization.id).values_list("user_id", flat=True)
    await Event.filter(organization_id=organization.id).delete()
    await Delivery.filter(organization_id=organization.id).delete()
    await Organization.filter(id=organization.id, is_demo=True).delete()
    elsewhere = await Member.filter(user_id__in=list(people)).values_list("user_id", flat=True)
    await User.filter(id__in=list(set(people) - set(elsewhere))).delete()
    await InstanceSetting.filter(name=LINK).delete()
    await record_account("account.demo_removed", None, organization_id=organization.id)
    lookups.recheck_streams()
