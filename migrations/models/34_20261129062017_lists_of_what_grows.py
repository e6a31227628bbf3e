"""Indexes for lists and numbers of what only grows: history of decisions, notices, memory, and the log by its actors.

Those of kinds leave out tasks, which are nine tenths of a log: their events are found by walking it from its end.
"""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

CREATED = """
    DROP INDEX IF EXISTS "idx_events_organiz_263e49";
    DROP INDEX IF EXISTS "idx_deliveries_agent_i_b7b6e0";
    CREATE INDEX IF NOT EXISTS "idx_deliveries_agent_i_2a0bb1" ON "deliveries" ("agent_id", "seq", "kind");
    CREATE INDEX IF NOT EXISTS "idx_events_organiz_2bc0ee" ON "events" ("organization_id", "created_at", "board_id");
    CREATE INDEX IF NOT EXISTS "idx_events_actor_i_e47e67" ON "events" ("actor_id", "seq", "board_id");
    CREATE INDEX IF NOT EXISTS "idx_approvals_board_i_10c93b" ON "approvals" ("board_id", "resolved_at", "id");
    CREATE INDEX "idx_events_others" ON "events" ("organization_id", "kind", "seq")
        WHERE SUBSTR("kind", 1, 5) <> 'task.';
    CREATE INDEX "idx_events_nowhere" ON "events" ("organization_id", "seq", "board_id") WHERE "board_id" IS NULL;
    CREATE INDEX "idx_task_runs_at_work" ON "task_runs" ("agent_id", "ended_at") WHERE "ended_at" IS NULL;
    CREATE INDEX "idx_board_memory_shown" ON "board_memory" ("board_id", "is_chat") WHERE TRIM("content") <> '';
    CREATE INDEX "idx_group_memory_shown" ON "board_group_memory" ("board_group_id", "is_chat")
        WHERE TRIM("content") <> '';
"""
DROPPED = """
    DROP INDEX IF EXISTS "idx_group_memory_shown";
    DROP INDEX IF EXISTS "idx_board_memory_shown";
    DROP INDEX IF EXISTS "idx_task_runs_at_work";
    DROP INDEX IF EXISTS "idx_events_nowhere";
    DROP INDEX IF EXISTS "idx_events_others";
    DROP INDEX IF EXISTS "idx_approvals_board_i_10c93b";
    DROP INDEX IF EXISTS "idx_events_actor_i_e47e67";
    DROP INDEX IF EXISTS "idx_events_organiz_2bc0ee";
    DROP INDEX IF EXISTS "idx_deliveries_agent_i_2a0bb1";
    CREATE INDEX IF NOT EXISTS "idx_deliveries_agent_i_b7b6e0" ON "deliveries" ("agent_id", "seq");
    CREATE INDEX IF NOT EXISTS "idx_events_organiz_263e49" ON "events" ("organization_id", "created_at");
"""
UP = {"sqlite": CREATED, "postgres": CREATED}
DOWN = {"sqlite": DROPPED, "postgres": DROPPED}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
