"""Read gateways."""

from collections.abc import Collection
from uuid import UUID

from tortoise.queryset import QuerySet

from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.paging import Paging
from mission_control.database.records import find
from mission_control.database.sql import is_postgres, rows
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


async def reachable_gateway(actor: Actor, gateway_id: UUID) -> Gateway:
    """Return a gateway of any organization that the person administers. Raise NotFound otherwise."""
    gateway = await Gateway.get_or_none(id=gateway_id)
    if gateway is None or not (actor.is_user and actor.administers(gateway.organization_id)):
        raise NotFound()
    return gateway


async def list_gateways(actor: Actor, paging: Paging) -> tuple[list[Gateway], int]:
    """Return a page of the active organization's gateways, newest first, and their number."""
    gateways = visible_gateways(actor)
    found = await gateways.order_by("-created_at", "-id").limit(paging.limit).offset(paging.offset)
    return found, await gateways.count()


async def boards_using(gateway_id: UUID) -> list[str]:
    """Return the names of the boards that use a gateway; those in the trash do not count."""
    found = await rows(
        "SELECT name FROM boards WHERE gateway_id = ? AND deleted_at IS NULL ORDER BY created_at", gateway_id
    )
    return [row["name"] for row in found]


async def instance_in(organization_id: UUID, instance_id: str | None) -> Gateway | None:
    """Return the gateway of an organization that has an id of its own."""
    if instance_id is None:
        return None
    return await find(Gateway, "organization_id = ? AND instance_id = ?", organization_id, instance_id)


async def hold_for_board(organization_id: UUID, gateway_id: UUID) -> bool:
    """Return whether a board of the organization may use a gateway, which then stays until the command ends."""
    hold = " FOR KEY SHARE OF gateways" if is_postgres() else ""
    found = await rows(
        "SELECT 1 AS one FROM gateways WHERE id = ? AND organization_id = ?"
        " AND EXISTS (SELECT 1 FROM agents WHERE agents.gateway_id = gateways.id AND agents.board_id IS NULL)"
        f"{hold}",
        gateway_id,
        organization_id,
    )
    return bool(found)


async def gateway_of(organization_id: UUID, gateway_id: UUID) -> Gateway:
    """Return a gateway of an organization. Raise NotFound otherwise."""
    gateway = await Gateway.get_or_none(id=gateway_id, organization_id=organization_id)
    if gateway is None:
        raise NotFound()
    return gateway


async def gateway_names(gateway_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of gateways by their ids."""
    return dict(await Gateway.filter(id__in=list(gateway_ids)).values_list("id", "name"))
