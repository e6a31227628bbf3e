"""The cookie of a browser: a signed secret that names a session. Only the session's row says when that ends."""

from itsdangerous import BadSignature
from quart import Quart, Response, current_app, g
from quart_auth import Action, AuthUser, QuartAuth


class SessionCookies(QuartAuth):
    """Reads cookies of any age: after a clock was set back they seem to come from the future, and would be refused."""

    async def after_request(self, response: Response) -> Response:
        """Write the cookie after a sign-in or a sign-out; the cookies of other requests are not read for it."""
        user: AuthUser | None = g.get(self.attribute_name)
        if user is None or user.action is Action.PASS:
            return response
        return await super().after_request(response)

    def load_token(self, token: str, app: Quart | None = None) -> str | None:
        """The secret in a cookie that this server signed; None in every other one."""
        key: str = (app or current_app).config["SECRET_KEY"]
        serializer = self.serializer_class(key, str(self.salt))
        try:
            secret: str = serializer.loads(token)
        except BadSignature:
            return None
        return secret
