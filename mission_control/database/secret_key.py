"""Whether the secret key is the one that this database was made with."""

import hmac

from mission_control.config import ConfigError
from mission_control.core.secrets import check_value
from mission_control.database.sql import rows

CHECK_NAME = "secret_key_check"


async def verify_secret_key(key: str) -> None:
    """Compare the key with the check value in the database; the first key is remembered.

    Raises ConfigError for another key: cookies and stored secrets would be lost with it.
    """
    value = check_value(key)
    await rows("INSERT INTO instance_settings (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", CHECK_NAME, value)
    [known] = await rows("SELECT value FROM instance_settings WHERE name = ?", CHECK_NAME)
    if not hmac.compare_digest(known["value"], value):
        raise ConfigError(
            "SECRET_KEY (or the file secret_key in DATA_DIR) is not the one this database was made with."
            " Put the former key back; secrets stored in the database cannot be read without it."
        )
