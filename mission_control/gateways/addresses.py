"""Which addresses gateways may be at, and how little others than the installation's owners learn about them.

Who adds a gateway names a host that this server then connects to. Without this, the owner of any organization could
find out by the messages what runs in the network behind it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from mission_control.config import Settings
from mission_control.database.sql import as_id, rows
from mission_control.openclaw.errors import GatewayError, Unreachable
from mission_control.outbound.addresses import may_reach

OUT_OF_REACH = "The gateway cannot be reached from here. Check its address, and that it is running."
# Besides Unreachable: what a proxy, or a check of our own, says.
TELLING = ("ADDRESS_REFUSED", "HTTP_DENIED")


@dataclass(slots=True)
class _Kept:
    """The setting, for loops, which run outside of requests. None: as many organizations as there are decide."""

    allow_private: bool | None = False


_kept = _Kept()


def keep(settings: Settings) -> None:
    """Remember whether gateways may be at private addresses."""
    _kept.allow_private = settings.gateways_allow_private


async def all_may_be_reached(addresses: Collection[str]) -> bool:
    """Return whether a gateway may be at these addresses: never at metadata services, at private ones as configured."""
    allowed = _kept.allow_private
    if allowed is None:
        allowed = len(await rows("SELECT id FROM organizations LIMIT 2")) < 2
    return all(may_reach(one, allow_private=allowed) for one in addresses)


async def discreet(organization_id: UUID, error: GatewayError) -> GatewayError:
    """Return an error as an organization may read it: why nothing was reached is for the one that was here first."""
    if not isinstance(error, Unreachable) and error.code not in TELLING:
        return error
    found = await rows("SELECT id FROM organizations ORDER BY created_at, id LIMIT 1")
    if not found or as_id(found[0]["id"]) == organization_id:
        return error
    return Unreachable("UNREACHABLE", OUT_OF_REACH, is_retryable=True)
