"""Where pushes may be sent, and by which name push services know us."""

import ipaddress
from email.utils import parseaddr
from urllib.parse import urlsplit

from mission_control.core.settings import Settings
from mission_control.core.values import parts_of

APPLE = "Apple"
# The makers of browsers, by the hosts of their push services; a dot before a host stands for all below it.
MAKERS = {
    "fcm.googleapis.com": "Google",
    ".push.services.mozilla.com": "Mozilla",
    ".push.apple.com": APPLE,
    ".notify.windows.com": "Microsoft",
}
MOST_CHARACTERS = 2000  # of an endpoint; those of the makers have 150 to 500
LOCAL = (".localhost", ".local", ".lan", ".home", ".internal", ".invalid", ".test", ".home.arpa")
NO_NAME = (
    "Apple takes pushes only from a server with a public name. Set BASE_URL to its https address, or MAIL_FROM to a"
    " mail address with a public name, then add the device again."
)


def maker_of(endpoint: str, settings: Settings) -> str | None:
    """Return who runs the push service of an endpoint; None where it is no allowed address."""
    parts = parts_of(endpoint)
    host = parts.hostname or ""
    if len(endpoint) > MOST_CHARACTERS or not endpoint.isascii() or "@" in parts.netloc:
        return None
    if parts.netloc.lower() in settings.push_hosts:
        schemes = ("https", "http") if settings.outbound_allow_private else ("https",)
        return host if parts.scheme in schemes else None
    if parts.scheme != "https" or parts.netloc.lower() != host:  # a port is none of theirs
        return None
    return _maker_at(host)


def _maker_at(host: str) -> str | None:
    return next((name for known, name in MAKERS.items() if _is_at(host, known)), None)


def _is_at(host: str, known: str) -> bool:
    return host.endswith(known) if known.startswith(".") else host == known


def subject_of(settings: Settings) -> str | None:
    """Return the name by which push services may reach who sends, None where the settings hold no public one."""
    host, address = urlsplit(settings.base_url).hostname or "", parseaddr(settings.mail_from)[1]
    if is_public(host):
        return f"https://{host}"
    if is_public(address.rpartition("@")[2]):
        return f"mailto:{address}"
    return None


def local_subject(settings: Settings) -> str:
    return f"https://{urlsplit(settings.base_url).hostname or 'localhost'}"


def is_public(host: str) -> bool:
    """Whether a host is a name that may exist for everybody: no address, no local name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host.strip(".") and not f".{host.lower()}".endswith(LOCAL)
    return False
