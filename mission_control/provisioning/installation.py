"""What provisioning needs to know of this installation: its key, its address and its patience."""

from dataclasses import dataclass
from datetime import timedelta

from quart import Quart

from mission_control.core.secrets import decrypt, encrypt


@dataclass(frozen=True, slots=True)
class Installation:
    """The key that encrypts agents' tokens, the address at which agents find the API, and the time for a check-in."""

    key: str
    base_url: str
    checkin: timedelta

    def seal(self, secret: str) -> str:
        """Encrypt a token for the database."""
        return encrypt(secret, self.key)

    def unseal(self, sealed: str) -> str:
        """Read a token from the database."""
        return decrypt(sealed, self.key)


_here: Installation | None = None


def prepare(app: Quart) -> None:
    """Remember the settings of the application."""
    global _here
    settings = app.config["SETTINGS"]
    # Without BASE_URL agents on the same machine still find the server.
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    base = settings.base_url or f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    _here = Installation(app.config["SECRET_KEY"], base.rstrip("/"), timedelta(seconds=settings.agent_checkin_seconds))


def here() -> Installation:
    """Return the installation of this process; RuntimeError before the application was made."""
    if _here is None:
        raise RuntimeError("The application has not been made yet.")
    return _here
