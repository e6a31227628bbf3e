"""This installation towards gateways: its identity, the addresses it may call, the names of its agents there."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Literal
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from quart import Quart

from mission_control.core import extensions, secrets
from mission_control.core.outbound import may_reach
from mission_control.core.settings import ConfigError, Settings
from mission_control.core.times import clock_now as now
from mission_control.core.values import new_id
from mission_control.database.sql import as_id, rows
from mission_control.gateways.protocol.errors import GatewayError, Unreachable
from mission_control.gateways.protocol.handshake import Identity
from mission_control.gateways.protocol.target import Pace, Target

OUT_OF_REACH = "The gateway cannot be reached from here. Check its address, and that it is running."
# Besides Unreachable: what a proxy, or a check of our own, says.
TELLING = ("ADDRESS_REFUSED", "HTTP_DENIED")


@dataclass(slots=True)
class _Kept:
    """What the application was made with, for loops, which run outside of requests."""

    key: str = ""
    minimum_version: str = ""
    # Whether gateways may be at private addresses. None: those of the organization that was made first.
    allow_private: bool | None = False


_kept = _Kept()


async def all_may_be_reached(organization_id: UUID, addresses: Collection[str]) -> bool:
    """Return whether a gateway of an organization may be at these addresses.

    Never at metadata services, at private ones as configured; where nothing is, those of the first organization may.
    """
    allowed = _kept.allow_private
    if allowed is None:
        allowed = await _is_first(organization_id)
    return all(may_reach(address, allow_private=allowed) for address in addresses)


async def discreet(organization_id: UUID, error: GatewayError) -> GatewayError:
    """Return an error as an organization may read it: why nothing was reached is for the one that was here first."""
    if not isinstance(error, Unreachable) and error.code not in TELLING:
        return error
    if await _is_first(organization_id):
        return error
    return Unreachable("UNREACHABLE", OUT_OF_REACH, is_retryable=True)


async def _is_first(organization_id: UUID) -> bool:
    first = await rows("SELECT id FROM organizations ORDER BY created_at, id LIMIT 1")
    return not first or as_id(first[0]["id"]) == organization_id


NAME = "installation"
UNREADABLE = (
    "The key of this installation cannot be read with the present SECRET_KEY. Put the former SECRET_KEY back: with"
    " another one every gateway would have to approve a new device."
)


@extensions.prepare
def keep(app: Quart) -> None:
    """Remember the secret key and the least version of gateways."""
    _kept.key = app.config["SECRET_KEY"]
    _kept.minimum_version = app.config["SETTINGS"].gateway_min_version
    _kept.allow_private = app.config["SETTINGS"].gateways_allow_private


def keep_settings(settings: Settings) -> None:
    """Remember the same for a command, which runs without an application."""
    _kept.key = secrets.load_or_create_secret_key(settings)
    _kept.minimum_version = settings.gateway_min_version


def secret_key() -> str:
    return _kept.key


def target_of(
    organization_id: UUID,
    url: str,
    token: str | None,
    device_token: str | None = None,
    *,
    allow_insecure_tls: bool = False,
    pace: Pace | None = None,
) -> Target:
    """Return a gateway to connect to, which accepts the least version and refuses what no gateway may be at."""
    return Target(
        url,
        token,
        device_token,
        allow_insecure_tls=allow_insecure_tls,
        minimum_version=_kept.minimum_version,
        pace=pace or Pace(),
        may_reach=partial(all_may_be_reached, organization_id),
    )


def opened(encrypted: str | None) -> str | None:
    """Raises GatewayError when the secret was stored with another SECRET_KEY."""
    try:
        return None if encrypted is None else secrets.decrypt(encrypted, _kept.key)
    except ConfigError as error:
        raise GatewayError("SECRET_UNREADABLE", f"{error} Enter the gateway's token again.") from None


def sealed(secret: str | None) -> str | None:
    return None if secret is None else secrets.encrypt(secret, _kept.key)


async def identity() -> Identity:
    """Return the device as which this installation signs; it is made on first use.

    Raises GatewayError when the stored one cannot be read. It is never replaced.
    """
    private_key = await _stored("private_key")
    if private_key is None:
        new = Identity.new()
        # Two processes may get here at the same moment: the first row stays, and both read it.
        await rows(
            "INSERT INTO gateway_identity (name, private_key, device_id, created_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            NAME,
            secrets.encrypt_bytes(new.private_bytes, _kept.key),
            new.device_id,
            now(),
        )
        private_key = await _stored("private_key")
        assert private_key is not None
    try:
        return Identity(Ed25519PrivateKey.from_private_bytes(secrets.decrypt_bytes(private_key, _kept.key)))
    except (ConfigError, ValueError):
        raise GatewayError("IDENTITY_UNREADABLE", UNREADABLE) from None


async def _stored(column: Literal["private_key", "device_id"]) -> str | None:
    stored = await rows(f"SELECT {column} FROM gateway_identity WHERE name = ?", NAME)
    return str(stored[0][column]) if stored else None


async def device_id() -> str | None:
    """None before this installation ever connected."""
    return await _stored("device_id")


_OURS = re.compile(r"(mc|mc-gateway|lead)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def main_session_key(gateway_id: UUID) -> str:
    return f"agent:mc-gateway-{gateway_id}:main"


def lead_session_key(board_id: UUID) -> str:
    return f"agent:lead-{board_id}:main"


def worker_session_key(agent_id: UUID) -> str:
    return f"agent:mc-{agent_id}:main"


def gateway_agent_id(session_key: str) -> str:
    """`lead-<board id>` of `agent:lead-<board id>:main`."""
    return session_key.split(":")[1]


def is_made_by_us(agent_id: str) -> bool:
    """Tell whether Mission Control gives such ids, in any installation."""
    return _OURS.fullmatch(agent_id) is not None


def slug(text: str) -> str:
    """Lower-case letters and digits with single hyphens; random when nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or new_id().hex


def workspace_path(root: str, agent_id: str) -> str:
    """The folder below the workspace root of a gateway, which expands a `~`."""
    name = agent_id.removeprefix("mc-") if agent_id.startswith("mc-gateway-") else agent_id
    return f"{root.rstrip('/')}/workspace-{slug(name)}"
