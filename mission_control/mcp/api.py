"""MCP over HTTP: an ASGI application at `/mcp`, next to Quart and inside the same middleware."""

from quart import Quart

from mission_control.config import Settings
from mission_control.http.asgi import Application, Receive, Scope, Send, wrap
from mission_control.http.exchange import end_on_disconnect
from mission_control.mcp.entry import Entry
from mission_control.mcp.service import Service

PATHS = ("/mcp", "/mcp/")


def install(app: Quart, settings: Settings) -> None:
    """Serve MCP. Call it before the middleware is installed, so that the middleware wraps it."""
    service = Service(settings)
    entry = Entry(app, service, settings.max_body_bytes)

    def layer(inner: Application) -> Application:
        async def dispatched(scope: Scope, receive: Receive, send: Send) -> None:
            is_ours = scope["type"] == "http" and scope["path"] in PATHS
            if is_ours:
                end_on_disconnect(scope)
            await (entry if is_ours else inner)(scope, receive, send)

        return dispatched

    wrap(app, layer)
    app.after_serving(service.stop)
