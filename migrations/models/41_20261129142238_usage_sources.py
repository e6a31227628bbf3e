"""How much each source said that a session used up: of several, one counts."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": 'ALTER TABLE "agent_sessions" ADD "usage_sources" JSON;',
    "postgres": 'ALTER TABLE "agent_sessions" ADD "usage_sources" JSONB;',
}

DOWN = {
    "sqlite": 'ALTER TABLE "agent_sessions" DROP COLUMN "usage_sources";',
    "postgres": 'ALTER TABLE "agent_sessions" DROP COLUMN "usage_sources";',
}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
