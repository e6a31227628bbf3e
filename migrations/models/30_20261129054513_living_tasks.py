"""Indexes of what is present among what only grows: tasks on their board, running work, unread notifications.

Those of tasks take the place of two that hold every task: counting a board no longer reads all it ever had. A task that
is not done is never archived.
"""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

LIVING = 'WHERE "deleted_at" IS NULL AND "archived_at" IS NULL'
CREATED = f"""
    CREATE INDEX IF NOT EXISTS "idx_tasks_living" ON "tasks" ("board_id", "status", "position", "created_at") {LIVING};
    CREATE INDEX IF NOT EXISTS "idx_tasks_living_newest" ON "tasks" ("board_id", "created_at", "id") {LIVING};
    CREATE INDEX IF NOT EXISTS "idx_tasks_archive" ON "tasks" ("board_id", "archived_at", "id")
        WHERE "archived_at" IS NOT NULL AND "deleted_at" IS NULL;
    DROP INDEX IF EXISTS "idx_tasks_flagged";
    CREATE INDEX "idx_tasks_flagged" ON "tasks" ("board_id", "flagged_at") WHERE "flagged_at" IS NOT NULL;
    DROP INDEX IF EXISTS "idx_tasks_board_i_843601";
    DROP INDEX IF EXISTS "idx_tasks_board_i_f56674";
    CREATE INDEX IF NOT EXISTS "idx_task_runs_running" ON "task_runs" ("board_id", "started_at")
        WHERE "ended_at" IS NULL;
    CREATE INDEX IF NOT EXISTS "idx_notifications_unread" ON "notifications" ("user_id", "organization_id")
        WHERE "read_at" IS NULL;
"""
DROPPED = """
    DROP INDEX IF EXISTS "idx_notifications_unread";
    DROP INDEX IF EXISTS "idx_task_runs_running";
    DROP INDEX IF EXISTS "idx_tasks_flagged";
    CREATE INDEX "idx_tasks_flagged" ON "tasks" ("board_id") WHERE "flagged_at" IS NOT NULL;
    CREATE INDEX IF NOT EXISTS "idx_tasks_board_i_f56674" ON "tasks" ("board_id", "created_at");
    CREATE INDEX IF NOT EXISTS "idx_tasks_board_i_843601" ON "tasks" ("board_id", "status", "position");
    DROP INDEX IF EXISTS "idx_tasks_archive";
    DROP INDEX IF EXISTS "idx_tasks_living_newest";
    DROP INDEX IF EXISTS "idx_tasks_living";
"""

UP = {"sqlite": CREATED, "postgres": CREATED}
DOWN = {"sqlite": DROPPED, "postgres": DROPPED}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
