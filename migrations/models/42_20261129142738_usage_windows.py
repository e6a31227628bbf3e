"""What programs tell of the windows of their subscriptions."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": 'ALTER TABLE "agent_sessions" ADD "usage_windows" JSON;',
    "postgres": 'ALTER TABLE "agent_sessions" ADD "usage_windows" JSONB;',
}

DOWN = {
    "sqlite": 'ALTER TABLE "agent_sessions" DROP COLUMN "usage_windows";',
    "postgres": 'ALTER TABLE "agent_sessions" DROP COLUMN "usage_windows";',
}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
