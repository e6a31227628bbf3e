"""Give every request an id that its answer, its errors, its events and its log lines carry."""

import re
from uuid import uuid4

from mission_control.http.asgi import Scope, header

ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def id_of(scope: Scope) -> str:
    """Return the id that the client chose, else a new one."""
    stripped = (header(scope, b"x-request-id") or "").strip()
    return stripped if ACCEPTABLE.fullmatch(stripped) else uuid4().hex
