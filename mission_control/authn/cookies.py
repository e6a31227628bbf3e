"""The cookie of a browser: a signed secret that names a session. Only the session's row says when that ends."""

from itsdangerous import BadSignature
from quart import Quart, current_app
from quart_auth import QuartAuth


class SessionCookies(QuartAuth):
    """Reads cookies of any age: after a clock was set back they seem to come from the future, and would be refused."""

    def load_token(self, token: str, app: Quart | None = None) -> str | None:
        """The secret in a cookie that this server signed; None in every other one."""
        key: str = (app or current_app).config["SECRET_KEY"]
        serializer = self.serializer_class(key, str(self.salt))
        try:
            secret: str = serializer.loads(token)
        except BadSignature:
            return None
        return secret
