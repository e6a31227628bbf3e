"""How many requests may be missing in what was used: at least so much was."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

TABLES = ("usage_entries", "task_runs", "agent_sessions", "budgets")
DATABASES = ("sqlite", "postgres")
UP = dict.fromkeys(DATABASES, " ".join(f'ALTER TABLE "{one}" ADD "gaps" INT NOT NULL DEFAULT 0;' for one in TABLES))
DOWN = dict.fromkeys(DATABASES, " ".join(f'ALTER TABLE "{one}" DROP COLUMN "gaps";' for one in TABLES))

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
