"""Headers that tell browsers what our pages may not do, on every answer."""

from quart import Quart

from mission_control.config import Settings
from mission_control.http.asgi import Application, Header, Message, Receive, Scope, Send, add_missing, wrap

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


def install(app: Quart, settings: Settings) -> None:
    """Add the configured headers and the policy to every answer that does not set its own."""
    headers = response_headers(settings)

    def layer(inner: Application) -> Application:
        async def with_headers(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_with_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    add_missing(message, headers)
                await send(message)

            await inner(scope, receive, send_with_headers)

        return with_headers

    wrap(app, layer)


def response_headers(settings: Settings) -> list[Header]:
    """Return the headers; a blank setting leaves its header out."""
    configured = {
        "x-content-type-options": settings.security_header_x_content_type_options,
        "x-frame-options": settings.security_header_x_frame_options,
        "referrer-policy": settings.security_header_referrer_policy,
        "permissions-policy": settings.security_header_permissions_policy,
        "content-security-policy": CONTENT_SECURITY_POLICY,
    }
    return [(name.encode(), value.encode()) for name, value in configured.items() if value]
