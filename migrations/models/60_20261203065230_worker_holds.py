"""Workers that wait, and what they keep."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True


def tables(id: str, json: str) -> str:
    return f"""
        CREATE TABLE IF NOT EXISTS "worker_holds" (
            "id" {id} NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "program" VARCHAR(32) NOT NULL,
            "host_label" VARCHAR(255) NOT NULL,
            "account" VARCHAR(64) NOT NULL,
            "kind" VARCHAR(16) NOT NULL,
            "words" TEXT NOT NULL,
            "until" TIMESTAMP NOT NULL,
            "answer" VARCHAR(16),
            "answered_at" TIMESTAMP,
            "resumes_at" TIMESTAMP,
            "ended_at" TIMESTAMP,
            "answered_by_user_id" {id} REFERENCES "users" ("id") ON DELETE SET NULL,
            "board_id" {id} NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "organization_id" {id} NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE
        );
        CREATE TABLE IF NOT EXISTS "hold_workers" (
            "id" {id} NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "connection_id" {id},
            "listens_until" TIMESTAMP NOT NULL,
            "notified_at" TIMESTAMP,
            "agent_id" {id} NOT NULL REFERENCES "agents" ("id") ON DELETE CASCADE,
            "hold_id" {id} NOT NULL REFERENCES "worker_holds" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_hold_worker_hold_id_fe0a41" UNIQUE ("hold_id", "agent_id")
        );
        CREATE INDEX "idx_worker_hold_organiz_8db9ef" ON "worker_holds" ("organization_id");
        CREATE INDEX "idx_worker_hold_board_i_e82bc6" ON "worker_holds" ("board_id");
        CREATE INDEX "idx_hold_worker_agent_i_2b1d09" ON "hold_workers" ("agent_id");
        CREATE UNIQUE INDEX "uid_worker_holds_open" ON "worker_holds"
            ("board_id", "program", "host_label", "account") WHERE "ended_at" IS NULL;
        CREATE INDEX "idx_worker_holds_answered" ON "worker_holds"
            ("board_id", "answered_at") WHERE "answered_at" IS NOT NULL;
        CREATE INDEX "idx_worker_holds_answerer" ON "worker_holds"
            ("answered_by_user_id") WHERE "answered_by_user_id" IS NOT NULL;
        ALTER TABLE "agents" ADD "hold" {json};
        ALTER TABLE "task_runs" ADD "hold_id" {id};
        CREATE INDEX "idx_task_runs_hold" ON "task_runs" ("hold_id") WHERE "hold_id" IS NOT NULL;
    """


UP = {"sqlite": tables("CHAR(36)", "JSON"), "postgres": tables("UUID", "JSONB")}

DOWN = dict.fromkeys(
    ("sqlite", "postgres"),
    """
        DROP INDEX "idx_task_runs_hold";
        ALTER TABLE "task_runs" DROP COLUMN "hold_id";
        ALTER TABLE "agents" DROP COLUMN "hold";
        DROP TABLE "hold_workers";
        DROP TABLE "worker_holds";
    """,
)

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
