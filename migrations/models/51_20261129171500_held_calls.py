"""Which calls the program of a connection holds until a person says yes."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": 'ALTER TABLE "connections" ADD "must" JSON;',
    "postgres": 'ALTER TABLE "connections" ADD "must" JSONB;',
}
UNDONE = 'ALTER TABLE "connections" DROP COLUMN "must";'
DOWN = {"sqlite": UNDONE, "postgres": UNDONE}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
