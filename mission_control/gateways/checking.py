"""Try a gateway before it is saved, and wait a moment for its connection afterwards."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Invalid
from mission_control.database.records import find
from mission_control.gateways import installation, reporting
from mission_control.gateways.addresses import discreet
from mission_control.gateways.models import Gateway
from mission_control.gateways.reporting import CONNECTED, CONNECTING, Report
from mission_control.gateways.states import channel
from mission_control.live import channels
from mission_control.openclaw.connection import connect, instance_id
from mission_control.openclaw.errors import GatewayError, TokenRefused, TooNew, TooOld, Unreachable
from mission_control.openclaw.target import Target

CHECK_SECONDS = 5.0
LOCKED_OUT = "AUTH_RATE_LIMITED"


class Deadline:
    """The seconds that all steps of a check have together."""

    def __init__(self, seconds: float = CHECK_SECONDS) -> None:
        self._ends = asyncio.get_running_loop().time() + seconds

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return max(0.0, self._ends - asyncio.get_running_loop().time())


async def check(organization_id: UUID, target: Target, deadline: Deadline) -> Report:
    """Connect once for an organization and return how that went.

    Raises Invalid for a wrong token, for a version that is known not to work, and for an address that may not be
    reached.
    """
    try:
        connection = await asyncio.wait_for(
            connect(target, await installation.identity(), on_event=lambda event: None), deadline.left
        )
    except TimeoutError:
        late = Unreachable("TIMEOUT", "The gateway does not answer in time.")
        return reporting.of_error(await discreet(organization_id, late))
    except GatewayError as problem:
        error = await discreet(organization_id, problem)
        _refuse(error)
        return reporting.of_error(error)
    report = reporting.of_hello(connection.hello, await instance_id(connection, seconds=deadline.left))
    await connection.close()
    # Connected is what the process says that keeps the connection.
    return replace(report, state=CONNECTING)


def _refuse(error: GatewayError) -> None:
    if isinstance(error, TokenRefused) and error.detail_code != LOCKED_OUT:
        code = ErrorCode.GATEWAY_TOKEN_REFUSED
    elif isinstance(error, TooOld | TooNew):
        code = ErrorCode.GATEWAY_VERSION_NOT_SUPPORTED
    elif error.code == "ADDRESS_REFUSED":
        code = ErrorCode.GATEWAY_ADDRESS_REFUSED
    else:
        return
    raise Invalid({"message": reporting.of_error(error).last_error or error.message, "code": code})


async def settled(gateway_id: UUID, deadline: Deadline) -> Gateway | None:
    """Return a gateway as soon as its state is known, at the latest at the deadline as it is then; None if deleted."""
    return await _awaited(gateway_id, deadline, lambda found: found.state != CONNECTING)


async def retried(gateway: Gateway, expected: Report, deadline: Deadline) -> Gateway:
    """Return a gateway once the process that holds it found what a check expects, or at the deadline."""
    wanted = CONNECTED if expected.state == CONNECTING else expected.state
    return await _awaited(gateway.id, deadline, lambda found: found.state == wanted) or gateway


async def refreshed(gateway: Gateway) -> Gateway:
    """Return a gateway as it is now."""
    return await find(Gateway, "id = ?", gateway.id) or gateway


async def _awaited(gateway_id: UUID, deadline: Deadline, is_so: Callable[[Gateway], bool]) -> Gateway | None:
    while True:
        with channels.listening(channel(gateway_id)) as notified:
            found = await find(Gateway, "id = ?", gateway_id)
            if found is None or is_so(found) or deadline.left <= 0:
                return found
            await channels.notified_within(notified, deadline.left)
