"""What this installation is towards gateways: its identity, kept once, and what it asks of them."""

from dataclasses import dataclass

from quart import Quart

from mission_control.config import ConfigError, Settings
from mission_control.core import secrets
from mission_control.core.clock import now
from mission_control.database.sql import rows
from mission_control.gateways import addresses
from mission_control.openclaw.errors import GatewayError
from mission_control.openclaw.identity import Identity
from mission_control.openclaw.limits import Pace
from mission_control.openclaw.target import Target

NAME = "installation"
UNREADABLE = (
    "The key of this installation cannot be read with the present SECRET_KEY. Put the former SECRET_KEY back: with"
    " another one every gateway would have to approve a new device."
)


@dataclass(slots=True)
class _Kept:
    """What the application was made with, for loops, which run outside of requests."""

    key: str = ""
    minimum_version: str = ""


_kept = _Kept()


def keep(app: Quart) -> None:
    """Remember the secret key and the least version of gateways."""
    _kept.key = app.config["SECRET_KEY"]
    _kept.minimum_version = app.config["SETTINGS"].gateway_min_version
    addresses.keep(app.config["SETTINGS"])


def keep_settings(settings: Settings) -> None:
    """Remember the same for a command, which runs without an application."""
    _kept.key = secrets.load_or_create_secret_key(settings)
    _kept.minimum_version = settings.gateway_min_version


def secret_key() -> str:
    """Return the key that encrypts secrets in the database."""
    return _kept.key


def target_of(
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
        may_reach=addresses.all_may_be_reached,
    )


def opened(encrypted: str | None) -> str | None:
    """Return a stored secret. Raises GatewayError when it was written with another SECRET_KEY."""
    try:
        return None if encrypted is None else secrets.decrypt(encrypted, _kept.key)
    except ConfigError as error:
        raise GatewayError("SECRET_UNREADABLE", f"{error} Enter the gateway's token again.") from None


def sealed(secret: str | None) -> str | None:
    """Return a secret as it is stored."""
    return None if secret is None else secrets.encrypt(secret, _kept.key)


async def identity() -> Identity:
    """Return the device as which this installation signs; it is made on first use.

    Raises GatewayError when the stored one cannot be read. It is never replaced.
    """
    known = await _stored()
    if known is None:
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
        known = await _stored()
        assert known is not None
    try:
        return Identity.from_private(secrets.decrypt_bytes(known, _kept.key))
    except (ConfigError, ValueError):
        raise GatewayError("IDENTITY_UNREADABLE", UNREADABLE) from None


async def _stored() -> str | None:
    found = await rows("SELECT private_key FROM gateway_identity WHERE name = ?", NAME)
    return str(found[0]["private_key"]) if found else None


async def device_id() -> str | None:
    """Return the fingerprint by which gateways know this installation, None before it ever connected."""
    found = await rows("SELECT device_id FROM gateway_identity WHERE name = ?", NAME)
    return str(found[0]["device_id"]) if found else None
