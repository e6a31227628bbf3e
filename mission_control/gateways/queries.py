"""Read gateways."""

from uuid import UUID

from tortoise.queryset import QuerySet

from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.gateways.models import Gateway


def visible_gateways(actor: Actor) -> QuerySet[Gateway]:
    """Return the gateways of the active organization, for its owners and admins."""
    gateways = Gateway.filter(organization_id=actor.organization_id)
    return gateways if actor.is_user and actor.administers(actor.organization_id) else gateways.filter(id=None)


async def visible_gateway(actor: Actor, gateway_id: UUID) -> Gateway:
    """Return a gateway that the actor can see. Raise NotFound otherwise."""
    gateway = await visible_gateways(actor).get_or_none(id=gateway_id)
    if gateway is None:
        raise NotFound()
    return gateway


async def gateway_of(organization_id: UUID, gateway_id: UUID) -> Gateway:
    """Return a gateway of an organization. Raise NotFound otherwise."""
    gateway = await Gateway.get_or_none(id=gateway_id, organization_id=organization_id)
    if gateway is None:
        raise NotFound()
    return gateway
