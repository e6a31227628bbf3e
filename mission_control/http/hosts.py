"""By which names this server is asked: a page of another name must not be able to read what ours show.

A name that anybody can register may lead here by its own DNS. What nobody can register never does: addresses, names
without a dot, and those below the domains for use at home. So health checks and neighbours in a container network pass.
"""

import ipaddress
import re
from urllib.parse import urlsplit

from mission_control.http.asgi import Scope, header

HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:[0-9]{1,5})?", re.ASCII)
AT_HOME = ("localhost", "local", "internal", "lan", "home.arpa", "test")
# What carries its own credentials, or says nothing that others must not know.
EVERYWHERE = ("/api/", "/mcp", "/healthz", "/readyz", "/health")
MALFORMED = "The Host of this request is not a name or an address with a port."
UNKNOWN = "This server does not know itself by the host that was asked for. Open it by its BASE_URL."


def is_malformed(scope: Scope) -> bool:
    """Return whether the host that a request asks for is not one."""
    host = header(scope, b"host")
    return bool(host) and HOST.fullmatch(host or "") is None


def is_foreign(scope: Scope, base_url: str) -> bool:
    """Return whether a page is asked for by a name that is not this server's. Without BASE_URL nobody knows."""
    found = HOST.fullmatch(header(scope, b"host") or "")
    if not base_url or found is None or scope["path"].startswith(EVERYWHERE):
        return False
    name = found["name"].lower().rstrip(".")
    return name != urlsplit(base_url).hostname and not _is_at_home(name)


def _is_at_home(name: str) -> bool:
    if "." not in name or any(name.endswith(f".{domain}") for domain in AT_HOME):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
