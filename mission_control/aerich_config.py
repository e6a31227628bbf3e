"""What the aerich command line reads; the program itself runs migrations without it."""

from mission_control.core.settings import Settings
from mission_control.database.setup import MODEL_MODULES, orm_config
from mission_control.server import installation

installation.install()
_settings = Settings.from_environment()

TORTOISE_ORM = orm_config(_settings.database_url, _settings.db_pool_size, [*MODEL_MODULES, "aerich.models"])
