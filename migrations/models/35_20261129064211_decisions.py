"""Indexes for the history of approvals by decision, and for questions that were answered since a page was opened."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

CREATED = """
    CREATE INDEX IF NOT EXISTS "idx_approvals_board_i_eae3b3"
        ON "approvals" ("board_id", "decision", "resolved_at", "id");
    CREATE INDEX IF NOT EXISTS "idx_agent_questions_answered" ON "agent_questions" ("board_id", "answered_at")
        WHERE "answered_at" IS NOT NULL;
    CREATE INDEX IF NOT EXISTS "idx_agent_questions_closed" ON "agent_questions" ("board_id", "closed_at")
        WHERE "closed_at" IS NOT NULL;
"""
DROPPED = """
    DROP INDEX IF EXISTS "idx_agent_questions_closed";
    DROP INDEX IF EXISTS "idx_agent_questions_answered";
    DROP INDEX IF EXISTS "idx_approvals_board_i_eae3b3";
"""
UP = {"sqlite": CREATED, "postgres": CREATED}
DOWN = {"sqlite": DROPPED, "postgres": DROPPED}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
