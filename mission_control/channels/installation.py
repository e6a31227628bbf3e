"""This installation: channels of its own, secrets in its database, and where it is reached."""

import ipaddress
import json
from collections.abc import Collection, Iterable, Mapping
from importlib import import_module
from urllib.parse import urlsplit

from quart import Quart

from mission_control.channels.channel import CHANNELS, Channel, Setting
from mission_control.core import extensions, secrets
from mission_control.core.current_app import secret_key, settings
from mission_control.core.errors import invalid_field
from mission_control.core.outbound import is_out_of_reach, may_reach
from mission_control.core.settings import ConfigError

LOCAL_NAMES = (".local", ".lan", ".internal", ".invalid", ".localhost", ".home.arpa")


@extensions.prepare
def install_channels(app: Quart) -> None:
    """Install the channels of others. Raise ConfigError for one that cannot be had."""
    for name in app.config["SETTINGS"].reach_channels:
        try:
            module = import_module(name)
        except ImportError as error:
            raise ConfigError(f"REACH_CHANNELS: the module {name} cannot be imported: {error}.") from error
        channels = [value for value in vars(module).values() if isinstance(value, Channel)]
        if not channels:
            raise ConfigError(f"REACH_CHANNELS: the module {name} has no value that is a Channel.")
        for channel in channels:
            if CHANNELS.get(channel.kind) is not channel:
                channel.install()


def sealed(text: str) -> str:
    """Encrypt a text for the database; an empty one stays."""
    return secrets.encrypt(text, secret_key()) if text else ""


def opened(text: str) -> str:
    """Read what `sealed` wrote. Raises ConfigError when it was written with another SECRET_KEY."""
    return secrets.decrypt(text, secret_key()) if text else ""


def sealed_values(values: Mapping[str, str]) -> str:
    return sealed(json.dumps(dict(values))) if values else ""


def opened_values(text: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(opened(text)) if text else {}
    return found


def require_filled(sets: Iterable[Setting], values: Collection[str]) -> None:
    """Raise Invalid for a setting that nobody typed and that has no default."""
    for setting in sets:
        if setting.is_required and not setting.default and setting.name not in values:
            raise invalid_field(f"values.{setting.name}", "Fill this in")


def refuse_out_of_reach(name: str, url: str) -> None:
    """Raise Invalid for a URL of a provider that is at an address which may not be reached."""
    if is_out_of_reach(url, allow_private=settings().outbound_allow_private):
        text = "This address may not be reached from here: set OUTBOUND_ALLOW_PRIVATE if it is in your own network"
        raise invalid_field(name, text)


def is_local(address: str) -> bool:
    """Return whether an address of ours is one that nobody outside of this machine or network reaches."""
    host = (urlsplit(address).hostname or "").rstrip(".").lower()
    if not host or host == "localhost" or host.endswith(LOCAL_NAMES) or ("." not in host and ":" not in host):
        return True
    is_number = host.replace(".", "").isdigit() or ":" in host
    return is_number and not may_reach(host, allow_private=False)


def reachable_address() -> str:
    """Return our own address where providers and phones reach it, else an empty text.

    One in a private network counts when providers there may be reached: they stand in the same network.
    """
    base = settings().base_url
    if not is_local(base):
        return base
    host = urlsplit(base).hostname or ""
    is_here = not host or host == "localhost" or host.endswith(".localhost") or _is_loopback(host)
    return base if settings().outbound_allow_private and not is_here else ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
