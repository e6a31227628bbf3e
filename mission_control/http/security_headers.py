"""Headers that tell browsers what our pages may not do, on every answer."""

from mission_control.config import Settings
from mission_control.http.asgi import Header

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
