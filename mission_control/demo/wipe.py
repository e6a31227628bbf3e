"""Remove the demo organization and its data."""

from uuid import UUID

from mission_control.accounts.log import record_account
from mission_control.accounts.models import InstanceSetting, User
from mission_control.authn import freshness
from mission_control.commands.command import command
from mission_control.core.actor import Actor, system
from mission_control.delivery.models import Delivery
from mission_control.demo.sign_in_page import LINK
from mission_control.live.models import Event
from mission_control.organizations.models import Member, Organization


async def wipe() -> int:
    """Remove every demo organization. Return how many there were."""
    found = await Organization.filter(is_demo=True)
    for organization in found:
        await _remove(system(UUID(int=0)), organization)
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
    freshness.recheck_streams()
