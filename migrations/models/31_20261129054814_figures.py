"""Figures of metrics that are counted beside serving (`metrics/counting.py`), and indexes for what stays a sum.

The tables are empty at first: the server counts the log, in small transactions, from where it stopped.
"""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

INDEXES = {
    "idx_figure_tasks_reviews": """ON "figure_tasks" ("board_id", "moment", "review_micros")
        WHERE "review_micros" IS NOT NULL""",
    "idx_figure_tasks_at_work": """ON "figure_tasks" ("board_id", "entered_at") WHERE "entered_at" IS NOT NULL""",
    "idx_approvals_answered": """ON "approvals" ("board_id", "resolved_at", "created_at", "resolved_by_user_id")
        WHERE "resolved_by_kind" = 'user'""",
    "idx_agent_questions_answered": """ON "agent_questions"
        ("board_id", "answered_at", "created_at", "answered_by_user_id") WHERE "state" = 'answered'""",
    "idx_usage_entries_cost": """ON "usage_entries" ("board_id", "created_at", "cost_micros")""",
}
CREATED = "\n".join(f"""CREATE INDEX "{name}" {what};""" for name, what in INDEXES.items())
DROPPED = "\n".join(f"""DROP INDEX "{name}";""" for name in INDEXES)

TABLES = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS "figure_changes" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "moment" TIMESTAMP NOT NULL,
            "work" SMALLINT NOT NULL,
            "finished" SMALLINT NOT NULL,
            "moved" SMALLINT NOT NULL,
            "cycle_micros" BIGINT,
            "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE
        );
        CREATE INDEX IF NOT EXISTS "idx_figure_chan_board_i_ddb9a9" ON "figure_changes" ("board_id", "moment", "cycle_micros");
        CREATE TABLE IF NOT EXISTS "figure_sums" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "period" VARCHAR(14) NOT NULL,
            "inbox" BIGINT NOT NULL,
            "in_progress" BIGINT NOT NULL,
            "review" BIGINT NOT NULL,
            "done" BIGINT NOT NULL,
            "reviews" BIGINT NOT NULL,
            "review_micros" BIGINT NOT NULL,
            "finished" BIGINT NOT NULL,
            "cycles" BIGINT NOT NULL,
            "cycle_micros" BIGINT NOT NULL,
            "moved" BIGINT NOT NULL,
            "work" BIGINT NOT NULL,
            "outcomes" BIGINT NOT NULL,
            "failures" BIGINT NOT NULL,
            "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_figure_sums_board_i_c6cc80" UNIQUE ("board_id", "period")
        );
        CREATE TABLE IF NOT EXISTS "figure_tasks" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "status" VARCHAR(16),
            "moment" TIMESTAMP,
            "review_micros" BIGINT,
            "logged" VARCHAR(16) NOT NULL,
            "started_at" TIMESTAMP,
            "entered_at" TIMESTAMP,
            "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE
        );
        CREATE INDEX IF NOT EXISTS "idx_figure_task_board_i_84a3ef" ON "figure_tasks" ("board_id", "moment");
        CREATE TABLE IF NOT EXISTS "figures_counted" (
            "seq" BIGINT NOT NULL,
            "organization_id" CHAR(36) NOT NULL PRIMARY KEY REFERENCES "organizations" ("id") ON DELETE CASCADE
        );
    """,
    "postgres": """
        CREATE TABLE IF NOT EXISTS "figure_changes" (
            "id" UUID NOT NULL PRIMARY KEY,
            "moment" TIMESTAMP NOT NULL,
            "work" SMALLINT NOT NULL,
            "finished" SMALLINT NOT NULL,
            "moved" SMALLINT NOT NULL,
            "cycle_micros" BIGINT,
            "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE
        );
        CREATE INDEX IF NOT EXISTS "idx_figure_chan_board_i_ddb9a9" ON "figure_changes" ("board_id", "moment", "cycle_micros");
        CREATE TABLE IF NOT EXISTS "figure_sums" (
            "id" UUID NOT NULL PRIMARY KEY,
            "period" VARCHAR(14) NOT NULL,
            "inbox" BIGINT NOT NULL,
            "in_progress" BIGINT NOT NULL,
            "review" BIGINT NOT NULL,
            "done" BIGINT NOT NULL,
            "reviews" BIGINT NOT NULL,
            "review_micros" BIGINT NOT NULL,
            "finished" BIGINT NOT NULL,
            "cycles" BIGINT NOT NULL,
            "cycle_micros" BIGINT NOT NULL,
            "moved" BIGINT NOT NULL,
            "work" BIGINT NOT NULL,
            "outcomes" BIGINT NOT NULL,
            "failures" BIGINT NOT NULL,
            "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_figure_sums_board_i_c6cc80" UNIQUE ("board_id", "period")
        );
        CREATE TABLE IF NOT EXISTS "figure_tasks" (
            "id" UUID NOT NULL PRIMARY KEY,
            "status" VARCHAR(16),
            "moment" TIMESTAMP,
            "review_micros" BIGINT,
            "logged" VARCHAR(16) NOT NULL,
            "started_at" TIMESTAMP,
            "entered_at" TIMESTAMP,
            "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE
        );
        CREATE INDEX IF NOT EXISTS "idx_figure_task_board_i_84a3ef" ON "figure_tasks" ("board_id", "moment");
        CREATE TABLE IF NOT EXISTS "figures_counted" (
            "seq" BIGINT NOT NULL,
            "organization_id" UUID NOT NULL PRIMARY KEY REFERENCES "organizations" ("id") ON DELETE CASCADE
        );
    """,
}

GONE = """
    DROP TABLE IF EXISTS "figures_counted";
    DROP TABLE IF EXISTS "figure_sums";
    DROP TABLE IF EXISTS "figure_changes";
    DROP TABLE IF EXISTS "figure_tasks";
"""
UP = {dialect: f"{tables}\n{CREATED}" for dialect, tables in TABLES.items()}
DOWN = dict.fromkeys(TABLES, f"{DROPPED}\n{GONE}")

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
