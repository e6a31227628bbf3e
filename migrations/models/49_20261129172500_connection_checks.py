"""Sessions in which a person only looked whether a connection works."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

DROPPED = 'ALTER TABLE "agent_sessions" DROP COLUMN "is_check";'

UP = {
    "sqlite": 'ALTER TABLE "agent_sessions" ADD "is_check" INT NOT NULL DEFAULT 0;',
    "postgres": 'ALTER TABLE "agent_sessions" ADD "is_check" BOOL NOT NULL DEFAULT False;',
}
DOWN = {"sqlite": DROPPED, "postgres": DROPPED}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
