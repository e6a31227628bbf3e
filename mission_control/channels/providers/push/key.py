"""The key pair of the installation for web push (VAPID): made once, kept encrypted beside its other settings.

Browsers subscribe to one key: another pair would make every device useless. It is in backups and in a move to
PostgreSQL, because it is in the database.
"""

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from mission_control.channels.providers.push.encryption import key_from_bytes, key_to_bytes, new_key
from mission_control.core.secrets import decrypt_bytes, encrypt_bytes, load_or_create_secret_key
from mission_control.core.settings import Settings
from mission_control.database.sql import rows

NAME = "push_key"
_READ = "SELECT value FROM instance_settings WHERE name = ?"
_ADD = "INSERT INTO instance_settings (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING"

_known: dict[tuple[str, str, str], EllipticCurvePrivateKey] = {}


async def push_key(settings: Settings) -> EllipticCurvePrivateKey:
    """Return the installation's key; the first call makes it, later ones ask nothing. Not inside a transaction."""
    place = (settings.database_url, str(settings.data_dir), settings.secret_key)
    if place not in _known:
        secret = load_or_create_secret_key(settings)
        _known[place] = key_from_bytes(decrypt_bytes(await _stored(secret), secret))
    return _known[place]


async def _stored(secret: str) -> str:
    found = await rows(_READ, NAME)
    if not found:
        await rows(_ADD, NAME, encrypt_bytes(key_to_bytes(new_key()), secret))
        found = await rows(_READ, NAME)
    return str(found[0]["value"])
