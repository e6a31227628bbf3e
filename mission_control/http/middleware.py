"""The HTTP middleware, in the order in which it wraps the application."""

from quart import Quart

from mission_control.config import Settings
from mission_control.http import (
    body_limit,
    compression,
    cors,
    framing,
    hang_ups,
    health,
    proxies,
    rate_limits,
    request_id,
    request_log,
    security_headers,
    simultaneous,
    trailing_slash,
    whole_requests,
)

# Layers around the whole application: the first is innermost.
LAYERS = (hang_ups, whole_requests, simultaneous, framing, security_headers, request_log, proxies, request_id)
# Functions around each request: before it in this order, after it in the opposite one.
HOOKS = (compression, cors, body_limit, trailing_slash, health, rate_limits)


def install(app: Quart, settings: Settings) -> None:
    """Install the middleware; call this before anything else registers request functions."""
    for part in (*HOOKS, *LAYERS):
        part.install(app, settings)
