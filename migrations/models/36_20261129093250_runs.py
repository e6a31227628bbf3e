"""Runs: waiting, sessions and what happens in them, notes, proposals, parts, and what they cost."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

# The former release ended runs whose leases ran out while people had not answered, and left their tasks in the inbox with
# their agents. What they asked is the task's and the agent's from here on: it stays open, and nothing is asked anew.
ASKS_OF_EXPIRED_RUNS = """
        UPDATE "approvals" SET "run_id" = NULL WHERE "status" = 'pending'
            AND "run_id" IN (SELECT "id" FROM "task_runs" WHERE "state" = 'expired');
        UPDATE "approval_task_links" SET "run_id" = NULL WHERE "is_pending"
            AND "run_id" IN (SELECT "id" FROM "task_runs" WHERE "state" = 'expired');
        UPDATE "agent_questions" SET "run_id" = NULL WHERE "state" = 'open'
            AND "run_id" IN (SELECT "id" FROM "task_runs" WHERE "state" = 'expired');
    """

UP = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS "task_links" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "kind" VARCHAR(16) NOT NULL,
            "other_id" CHAR(36) NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
            "task_id" CHAR(36) NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_task_links_task_id_5566d1" UNIQUE ("task_id", "other_id", "kind")
        ) /* What one task is to another: `found_in` or `duplicate_of`. */;
        CREATE INDEX IF NOT EXISTS "idx_task_links_other_i_6734e6" ON "task_links" ("other_id");
        CREATE TABLE IF NOT EXISTS "task_proposals" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "agent_name" TEXT NOT NULL,
            "run_id" CHAR(36),
            "found_in_id" CHAR(36),
            "title" TEXT NOT NULL,
            "description" TEXT,
            "reason" TEXT NOT NULL,
            "priority" VARCHAR(64) NOT NULL,
            "state" VARCHAR(16) NOT NULL,
            "task_id" CHAR(36),
            "decided_by_agent_id" CHAR(36),
            "decided_at" TIMESTAMP,
            "note" TEXT,
            "agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE SET NULL,
            "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "decided_by_user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL
        ) /* Work that an agent found: `open` until somebody makes it a task (`accepted`), merges it into one, or drops it. */;
        CREATE INDEX IF NOT EXISTS "idx_task_propos_board_i_69a98a" ON "task_proposals" ("board_id", "created_at");
        CREATE TABLE IF NOT EXISTS "agent_sessions" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "agent_name" TEXT NOT NULL,
            "gateway_id" CHAR(36),
            "run_id" CHAR(36),
            "task_id" CHAR(36),
            "parent_id" CHAR(36),
            "client" VARCHAR(32) NOT NULL,
            "external_id" VARCHAR(255) NOT NULL,
            "client_version" VARCHAR(64),
            "host_label" VARCHAR(255),
            "cwd_label" VARCHAR(255),
            "branch" VARCHAR(255),
            "model" VARCHAR(200),
            "mode" VARCHAR(64),
            "title" VARCHAR(200),
            "state" VARCHAR(16) NOT NULL,
            "state_at" TIMESTAMP NOT NULL,
            "started_at" TIMESTAMP NOT NULL,
            "last_seen_at" TIMESTAMP NOT NULL,
            "ended_at" TIMESTAMP,
            "end_reason" TEXT,
            "doing" VARCHAR(200),
            "doing_at" TIMESTAMP,
            "is_doing_over" INT NOT NULL,
            "doing_ref" VARCHAR(255),
            "failures" INT NOT NULL,
            "failing" VARCHAR(200),
            "plan" JSON,
            "seq" INT NOT NULL,
            "digest" VARCHAR(64),
            "input_tokens" BIGINT NOT NULL,
            "output_tokens" BIGINT NOT NULL,
            "cached_tokens" BIGINT NOT NULL,
            "cost_micros" BIGINT NOT NULL,
            "agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE SET NULL,
            "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL,
            CONSTRAINT "uid_agent_sessi_agent_i_7ea962" UNIQUE ("agent_id", "board_id", "client", "external_id")
        ) /* One conversation of an agent's program, wherever it runs. It serves a run (`run_id`) at a time, or none. */;
        CREATE INDEX IF NOT EXISTS "idx_agent_sessi_board_i_70a952" ON "agent_sessions" ("board_id", "last_seen_at");
        CREATE INDEX IF NOT EXISTS "idx_agent_sessi_run_id_c7f7e1" ON "agent_sessions" ("run_id");
        CREATE INDEX IF NOT EXISTS "idx_agent_sessi_task_id_1b38bf" ON "agent_sessions" ("task_id", "started_at");
        CREATE TABLE IF NOT EXISTS "session_activities" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "seq" INT NOT NULL,
            "run_id" CHAR(36),
            "at" TIMESTAMP NOT NULL,
            "kind" VARCHAR(32) NOT NULL,
            "title" VARCHAR(200) NOT NULL,
            "state" VARCHAR(16),
            "ref" VARCHAR(255),
            "detail" JSON,
            "session_id" CHAR(36) NOT NULL REFERENCES "agent_sessions" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_session_act_session_3b65b1" UNIQUE ("session_id", "seq")
        ) /* Something that an agent did in a session; its id follows from the session and the program's key for it. */;
        CREATE INDEX IF NOT EXISTS "idx_session_act_at_ad5bc3" ON "session_activities" ("at");
        CREATE INDEX IF NOT EXISTS "idx_session_act_run_id_5a07bd" ON "session_activities" ("run_id");
        CREATE TABLE IF NOT EXISTS "run_notes" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "task_id" CHAR(36),
            "run_id" CHAR(36),
            "session_id" CHAR(36),
            "text" TEXT NOT NULL,
            "expires_at" TIMESTAMP NOT NULL,
            "expired_at" TIMESTAMP,
            "agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE SET NULL,
            "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL
        ) /* What a person tells an agent about its run or session; its id is that of the notice that carries it. */;
        CREATE INDEX IF NOT EXISTS "idx_run_notes_task_id_124ea1" ON "run_notes" ("task_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_run_notes_session_9e6716" ON "run_notes" ("session_id", "created_at");
        ALTER TABLE "usage_entries" ADD "key" VARCHAR(200);
        ALTER TABLE "usage_entries" ADD "cached_tokens" BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE "usage_entries" ADD "session_id" CHAR(36);
        ALTER TABLE "boards" ADD "brief" TEXT NOT NULL DEFAULT '';
        ALTER TABLE "boards" ADD "resume_after_seconds" INT NOT NULL DEFAULT 3600;
        ALTER TABLE "task_checklist_items" ADD "is_criterion" INT NOT NULL DEFAULT 0;
        ALTER TABLE "task_runs" ADD "ready_at" TIMESTAMP;
        ALTER TABLE "task_runs" ADD "checked" TEXT;
        ALTER TABLE "task_runs" ADD "cached_tokens" BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE "task_runs" ADD "parked_at" TIMESTAMP;
        ALTER TABLE "task_runs" ADD "resumes_on_any" INT NOT NULL DEFAULT 0;
        ALTER TABLE "deliveries" ADD "offered_at" TIMESTAMP;
        ALTER TABLE "deliveries" ADD "taken_at" TIMESTAMP;
        ALTER TABLE "tasks" ADD "blocks_parent" INT NOT NULL DEFAULT 0;
        ALTER TABLE "tasks" ADD "parent_id" CHAR(36) REFERENCES "tasks" ("id") ON DELETE SET NULL;
        CREATE UNIQUE INDEX "uid_usage_entri_agent_i_c38084" ON "usage_entries" ("agent_id", "key");
        CREATE INDEX "idx_task_runs_parked" ON "task_runs" ("ready_at") WHERE "parked_at" IS NOT NULL AND "ended_at" IS NULL;
        DROP INDEX "idx_agent_questions_run";
        CREATE INDEX "idx_agent_questions_run" ON "agent_questions" ("run_id") WHERE "run_id" IS NOT NULL;
        CREATE INDEX "idx_tasks_rework" ON "tasks" ("rework_at") WHERE "rework_at" IS NOT NULL;
        CREATE INDEX "idx_tasks_parent" ON "tasks" ("parent_id") WHERE "parent_id" IS NOT NULL;
        CREATE INDEX "idx_task_proposals_open" ON "task_proposals" ("board_id") WHERE "state" = 'open';
        CREATE INDEX "idx_task_proposals_agent" ON "task_proposals" ("agent_id") WHERE "agent_id" IS NOT NULL;
        CREATE INDEX "idx_task_proposals_decider" ON "task_proposals" ("decided_by_user_id")
            WHERE "decided_by_user_id" IS NOT NULL;
        CREATE INDEX "idx_agent_sessions_open" ON "agent_sessions" ("board_id") WHERE "ended_at" IS NULL;
        CREATE INDEX "idx_agent_sessions_parent" ON "agent_sessions" ("parent_id") WHERE "parent_id" IS NOT NULL;
        CREATE INDEX "idx_agent_sessions_user" ON "agent_sessions" ("user_id") WHERE "user_id" IS NOT NULL;
        CREATE INDEX "idx_deliveries_taken" ON "deliveries" ("agent_id", "taken_at") WHERE "taken_at" IS NOT NULL;
        CREATE INDEX "idx_run_notes_board" ON "run_notes" ("board_id");
        CREATE INDEX "idx_run_notes_agent" ON "run_notes" ("agent_id") WHERE "agent_id" IS NOT NULL;
        CREATE INDEX "idx_run_notes_user" ON "run_notes" ("user_id") WHERE "user_id" IS NOT NULL;
        CREATE INDEX "idx_run_notes_open" ON "run_notes" ("expires_at") WHERE "expired_at" IS NULL;
        CREATE TABLE "notifications_of_more_kinds" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "kind" VARCHAR(16) NOT NULL,
            "comment_id" CHAR(36),
            "memory_id" CHAR(36),
            "actor_kind" VARCHAR(16) NOT NULL,
            "actor_id" CHAR(36),
            "actor_name" TEXT,
            "created_at" TIMESTAMP NOT NULL,
            "read_at" TIMESTAMP,
            "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "task_id" CHAR(36) REFERENCES "tasks" ("id") ON DELETE CASCADE,
            "user_id" CHAR(36) NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
            CONSTRAINT "ck_notifications_kind" CHECK ("kind" IN ('mention', 'assignment', 'note'))
        ) /* Something that concerns a person by name: `kind` is `mention`, `assignment` or `note`. */;
        INSERT INTO "notifications_of_more_kinds" ("id", "kind", "comment_id", "memory_id", "actor_kind", "actor_id", "actor_name", "created_at", "read_at", "board_id", "organization_id", "task_id", "user_id")
            SELECT "id", "kind", "comment_id", "memory_id", "actor_kind", "actor_id", "actor_name", "created_at", "read_at", "board_id", "organization_id", "task_id", "user_id"
            FROM "notifications";
        DROP TABLE "notifications";
        ALTER TABLE "notifications_of_more_kinds" RENAME TO "notifications";
        CREATE INDEX IF NOT EXISTS "idx_notificatio_user_id_f309d3" ON "notifications" ("user_id", "organization_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_notifications_organization" ON "notifications" ("organization_id");
        CREATE INDEX IF NOT EXISTS "idx_notifications_board" ON "notifications" ("board_id");
        CREATE INDEX IF NOT EXISTS "idx_notifications_task" ON "notifications" ("task_id");
        CREATE INDEX IF NOT EXISTS "idx_notifications_unread" ON "notifications" ("user_id", "organization_id") WHERE "read_at" IS NULL;
    """,
    "postgres": """
        CREATE TABLE IF NOT EXISTS "task_links" (
            "id" UUID NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "kind" VARCHAR(16) NOT NULL,
            "other_id" UUID NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
            "task_id" UUID NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_task_links_task_id_5566d1" UNIQUE ("task_id", "other_id", "kind")
        );
        CREATE INDEX IF NOT EXISTS "idx_task_links_other_i_6734e6" ON "task_links" ("other_id");
        COMMENT ON TABLE "task_links" IS 'What one task is to another: `found_in` or `duplicate_of`.';
        CREATE TABLE IF NOT EXISTS "task_proposals" (
            "id" UUID NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "agent_name" TEXT NOT NULL,
            "run_id" UUID,
            "found_in_id" UUID,
            "title" TEXT NOT NULL,
            "description" TEXT,
            "reason" TEXT NOT NULL,
            "priority" VARCHAR(64) NOT NULL,
            "state" VARCHAR(16) NOT NULL,
            "task_id" UUID,
            "decided_by_agent_id" UUID,
            "decided_at" TIMESTAMP,
            "note" TEXT,
            "agent_id" UUID REFERENCES "agents" ("id") ON DELETE SET NULL,
            "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "decided_by_user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL
        );
        CREATE INDEX IF NOT EXISTS "idx_task_propos_board_i_69a98a" ON "task_proposals" ("board_id", "created_at");
        COMMENT ON TABLE "task_proposals" IS 'Work that an agent found: `open` until somebody makes it a task (`accepted`), merges it into one, or drops it.';
        CREATE TABLE IF NOT EXISTS "agent_sessions" (
            "id" UUID NOT NULL PRIMARY KEY,
            "agent_name" TEXT NOT NULL,
            "gateway_id" UUID,
            "run_id" UUID,
            "task_id" UUID,
            "parent_id" UUID,
            "client" VARCHAR(32) NOT NULL,
            "external_id" VARCHAR(255) NOT NULL,
            "client_version" VARCHAR(64),
            "host_label" VARCHAR(255),
            "cwd_label" VARCHAR(255),
            "branch" VARCHAR(255),
            "model" VARCHAR(200),
            "mode" VARCHAR(64),
            "title" VARCHAR(200),
            "state" VARCHAR(16) NOT NULL,
            "state_at" TIMESTAMP NOT NULL,
            "started_at" TIMESTAMP NOT NULL,
            "last_seen_at" TIMESTAMP NOT NULL,
            "ended_at" TIMESTAMP,
            "end_reason" TEXT,
            "doing" VARCHAR(200),
            "doing_at" TIMESTAMP,
            "is_doing_over" BOOL NOT NULL,
            "doing_ref" VARCHAR(255),
            "failures" INT NOT NULL,
            "failing" VARCHAR(200),
            "plan" JSONB,
            "seq" INT NOT NULL,
            "digest" VARCHAR(64),
            "input_tokens" BIGINT NOT NULL,
            "output_tokens" BIGINT NOT NULL,
            "cached_tokens" BIGINT NOT NULL,
            "cost_micros" BIGINT NOT NULL,
            "agent_id" UUID REFERENCES "agents" ("id") ON DELETE SET NULL,
            "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL,
            CONSTRAINT "uid_agent_sessi_agent_i_7ea962" UNIQUE ("agent_id", "board_id", "client", "external_id")
        );
        CREATE INDEX IF NOT EXISTS "idx_agent_sessi_board_i_70a952" ON "agent_sessions" ("board_id", "last_seen_at");
        CREATE INDEX IF NOT EXISTS "idx_agent_sessi_run_id_c7f7e1" ON "agent_sessions" ("run_id");
        CREATE INDEX IF NOT EXISTS "idx_agent_sessi_task_id_1b38bf" ON "agent_sessions" ("task_id", "started_at");
        COMMENT ON TABLE "agent_sessions" IS 'One conversation of an agent''s program, wherever it runs. It serves a run (`run_id`) at a time, or none.';
        CREATE TABLE IF NOT EXISTS "session_activities" (
            "id" UUID NOT NULL PRIMARY KEY,
            "seq" INT NOT NULL,
            "run_id" UUID,
            "at" TIMESTAMP NOT NULL,
            "kind" VARCHAR(32) NOT NULL,
            "title" VARCHAR(200) NOT NULL,
            "state" VARCHAR(16),
            "ref" VARCHAR(255),
            "detail" JSONB,
            "session_id" UUID NOT NULL REFERENCES "agent_sessions" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_session_act_session_3b65b1" UNIQUE ("session_id", "seq")
        );
        CREATE INDEX IF NOT EXISTS "idx_session_act_at_ad5bc3" ON "session_activities" ("at");
        CREATE INDEX IF NOT EXISTS "idx_session_act_run_id_5a07bd" ON "session_activities" ("run_id");
        COMMENT ON TABLE "session_activities" IS 'Something that an agent did in a session; its id follows from the session and the program''s key for it.';
        CREATE TABLE IF NOT EXISTS "run_notes" (
            "id" UUID NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "task_id" UUID,
            "run_id" UUID,
            "session_id" UUID,
            "text" TEXT NOT NULL,
            "expires_at" TIMESTAMP NOT NULL,
            "expired_at" TIMESTAMP,
            "agent_id" UUID REFERENCES "agents" ("id") ON DELETE SET NULL,
            "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL
        );
        CREATE INDEX IF NOT EXISTS "idx_run_notes_task_id_124ea1" ON "run_notes" ("task_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_run_notes_session_9e6716" ON "run_notes" ("session_id", "created_at");
        COMMENT ON TABLE "run_notes" IS 'What a person tells an agent about its run or session; its id is that of the notice that carries it.';
        ALTER TABLE "usage_entries" ADD "key" VARCHAR(200);
        ALTER TABLE "usage_entries" ADD "cached_tokens" BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE "usage_entries" ADD "session_id" UUID;
        ALTER TABLE "boards" ADD "brief" TEXT NOT NULL DEFAULT '';
        ALTER TABLE "boards" ADD "resume_after_seconds" INT NOT NULL DEFAULT 3600;
        ALTER TABLE "task_checklist_items" ADD "is_criterion" BOOL NOT NULL DEFAULT False;
        ALTER TABLE "task_runs" ADD "ready_at" TIMESTAMP;
        ALTER TABLE "task_runs" ADD "checked" TEXT;
        ALTER TABLE "task_runs" ADD "cached_tokens" BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE "task_runs" ADD "parked_at" TIMESTAMP;
        ALTER TABLE "task_runs" ADD "resumes_on_any" BOOL NOT NULL DEFAULT False;
        ALTER TABLE "deliveries" ADD "offered_at" TIMESTAMP;
        ALTER TABLE "deliveries" ADD "taken_at" TIMESTAMP;
        ALTER TABLE "tasks" ADD "blocks_parent" BOOL NOT NULL DEFAULT False;
        ALTER TABLE "tasks" ADD "parent_id" UUID;
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_usage_entri_agent_i_c38084" ON "usage_entries" ("agent_id", "key");
        ALTER TABLE "tasks" ADD CONSTRAINT "fk_tasks_tasks_1ce5d4cc" FOREIGN KEY ("parent_id") REFERENCES "tasks" ("id") ON DELETE SET NULL;
        CREATE INDEX "idx_task_runs_parked" ON "task_runs" ("ready_at") WHERE "parked_at" IS NOT NULL AND "ended_at" IS NULL;
        DROP INDEX "idx_agent_questions_run";
        CREATE INDEX "idx_agent_questions_run" ON "agent_questions" ("run_id") WHERE "run_id" IS NOT NULL;
        CREATE INDEX "idx_tasks_rework" ON "tasks" ("rework_at") WHERE "rework_at" IS NOT NULL;
        CREATE INDEX "idx_tasks_parent" ON "tasks" ("parent_id") WHERE "parent_id" IS NOT NULL;
        CREATE INDEX "idx_task_proposals_open" ON "task_proposals" ("board_id") WHERE "state" = 'open';
        CREATE INDEX "idx_task_proposals_agent" ON "task_proposals" ("agent_id") WHERE "agent_id" IS NOT NULL;
        CREATE INDEX "idx_task_proposals_decider" ON "task_proposals" ("decided_by_user_id")
            WHERE "decided_by_user_id" IS NOT NULL;
        CREATE INDEX "idx_agent_sessions_open" ON "agent_sessions" ("board_id") WHERE "ended_at" IS NULL;
        CREATE INDEX "idx_agent_sessions_parent" ON "agent_sessions" ("parent_id") WHERE "parent_id" IS NOT NULL;
        CREATE INDEX "idx_agent_sessions_user" ON "agent_sessions" ("user_id") WHERE "user_id" IS NOT NULL;
        CREATE INDEX "idx_deliveries_taken" ON "deliveries" ("agent_id", "taken_at") WHERE "taken_at" IS NOT NULL;
        CREATE INDEX "idx_run_notes_board" ON "run_notes" ("board_id");
        CREATE INDEX "idx_run_notes_agent" ON "run_notes" ("agent_id") WHERE "agent_id" IS NOT NULL;
        CREATE INDEX "idx_run_notes_user" ON "run_notes" ("user_id") WHERE "user_id" IS NOT NULL;
        CREATE INDEX "idx_run_notes_open" ON "run_notes" ("expires_at") WHERE "expired_at" IS NULL;
        ALTER TABLE "notifications" DROP CONSTRAINT "ck_notifications_kind";
        ALTER TABLE "notifications" ADD CONSTRAINT "ck_notifications_kind" CHECK ("kind" IN ('mention', 'assignment', 'note'));
        COMMENT ON TABLE "notifications" IS 'Something that concerns a person by name: `kind` is `mention`, `assignment` or `note`.';
    """,
}

DOWN = {
    "sqlite": """
        DROP INDEX IF EXISTS "idx_task_runs_parked";
        DROP INDEX IF EXISTS "idx_agent_questions_run";
        CREATE INDEX "idx_agent_questions_run" ON "agent_questions" ("run_id") WHERE "state" = 'open';
        DROP INDEX IF EXISTS "idx_tasks_rework";
        DROP INDEX IF EXISTS "idx_tasks_parent";
        DROP INDEX IF EXISTS "idx_task_proposals_open";
        DROP INDEX IF EXISTS "idx_task_proposals_agent";
        DROP INDEX IF EXISTS "idx_task_proposals_decider";
        DROP INDEX IF EXISTS "idx_agent_sessions_open";
        DROP INDEX IF EXISTS "idx_agent_sessions_parent";
        DROP INDEX IF EXISTS "idx_agent_sessions_user";
        DROP INDEX IF EXISTS "idx_deliveries_taken";
        DROP INDEX IF EXISTS "idx_run_notes_board";
        DROP INDEX IF EXISTS "idx_run_notes_agent";
        DROP INDEX IF EXISTS "idx_run_notes_user";
        DROP INDEX IF EXISTS "idx_run_notes_open";
        DROP INDEX IF EXISTS "uid_usage_entri_agent_i_c38084";
        ALTER TABLE "usage_entries" DROP COLUMN "key";
        ALTER TABLE "usage_entries" DROP COLUMN "cached_tokens";
        ALTER TABLE "usage_entries" DROP COLUMN "session_id";
        ALTER TABLE "boards" DROP COLUMN "brief";
        ALTER TABLE "boards" DROP COLUMN "resume_after_seconds";
        ALTER TABLE "task_checklist_items" DROP COLUMN "is_criterion";
        ALTER TABLE "task_runs" DROP COLUMN "ready_at";
        ALTER TABLE "task_runs" DROP COLUMN "checked";
        ALTER TABLE "task_runs" DROP COLUMN "cached_tokens";
        ALTER TABLE "task_runs" DROP COLUMN "parked_at";
        ALTER TABLE "task_runs" DROP COLUMN "resumes_on_any";
        ALTER TABLE "deliveries" DROP COLUMN "offered_at";
        ALTER TABLE "deliveries" DROP COLUMN "taken_at";
        ALTER TABLE "tasks" DROP COLUMN "blocks_parent";
        ALTER TABLE "tasks" DROP COLUMN "parent_id";
        DROP TABLE IF EXISTS "task_links";
        DROP TABLE IF EXISTS "task_proposals";
        DROP TABLE IF EXISTS "session_activities";
        DROP TABLE IF EXISTS "agent_sessions";
        DROP TABLE IF EXISTS "run_notes";
        DELETE FROM "notifications" WHERE "kind" = 'note';
        CREATE TABLE "notifications_of_more_kinds" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "kind" VARCHAR(16) NOT NULL,
            "comment_id" CHAR(36),
            "memory_id" CHAR(36),
            "actor_kind" VARCHAR(16) NOT NULL,
            "actor_id" CHAR(36),
            "actor_name" TEXT,
            "created_at" TIMESTAMP NOT NULL,
            "read_at" TIMESTAMP,
            "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "task_id" CHAR(36) REFERENCES "tasks" ("id") ON DELETE CASCADE,
            "user_id" CHAR(36) NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
            CONSTRAINT "ck_notifications_kind" CHECK ("kind" IN ('mention', 'assignment'))
        ) /* Something that concerns a person by name: `kind` is `mention` or `assignment`. */;
        INSERT INTO "notifications_of_more_kinds" ("id", "kind", "comment_id", "memory_id", "actor_kind", "actor_id", "actor_name", "created_at", "read_at", "board_id", "organization_id", "task_id", "user_id")
            SELECT "id", "kind", "comment_id", "memory_id", "actor_kind", "actor_id", "actor_name", "created_at", "read_at", "board_id", "organization_id", "task_id", "user_id"
            FROM "notifications";
        DROP TABLE "notifications";
        ALTER TABLE "notifications_of_more_kinds" RENAME TO "notifications";
        CREATE INDEX IF NOT EXISTS "idx_notificatio_user_id_f309d3" ON "notifications" ("user_id", "organization_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_notifications_organization" ON "notifications" ("organization_id");
        CREATE INDEX IF NOT EXISTS "idx_notifications_board" ON "notifications" ("board_id");
        CREATE INDEX IF NOT EXISTS "idx_notifications_task" ON "notifications" ("task_id");
        CREATE INDEX IF NOT EXISTS "idx_notifications_unread" ON "notifications" ("user_id", "organization_id") WHERE "read_at" IS NULL;
    """,
    "postgres": """
        DROP INDEX IF EXISTS "idx_task_runs_parked";
        DROP INDEX IF EXISTS "idx_agent_questions_run";
        CREATE INDEX "idx_agent_questions_run" ON "agent_questions" ("run_id") WHERE "state" = 'open';
        DROP INDEX IF EXISTS "idx_tasks_rework";
        DROP INDEX IF EXISTS "idx_tasks_parent";
        DROP INDEX IF EXISTS "idx_task_proposals_open";
        DROP INDEX IF EXISTS "idx_task_proposals_agent";
        DROP INDEX IF EXISTS "idx_task_proposals_decider";
        DROP INDEX IF EXISTS "idx_agent_sessions_open";
        DROP INDEX IF EXISTS "idx_agent_sessions_parent";
        DROP INDEX IF EXISTS "idx_agent_sessions_user";
        DROP INDEX IF EXISTS "idx_deliveries_taken";
        DROP INDEX IF EXISTS "idx_run_notes_board";
        DROP INDEX IF EXISTS "idx_run_notes_agent";
        DROP INDEX IF EXISTS "idx_run_notes_user";
        DROP INDEX IF EXISTS "idx_run_notes_open";
        ALTER TABLE "tasks" DROP CONSTRAINT IF EXISTS "fk_tasks_tasks_1ce5d4cc";
        DROP INDEX IF EXISTS "uid_usage_entri_agent_i_c38084";
        ALTER TABLE "usage_entries" DROP COLUMN "key";
        ALTER TABLE "usage_entries" DROP COLUMN "cached_tokens";
        ALTER TABLE "usage_entries" DROP COLUMN "session_id";
        ALTER TABLE "boards" DROP COLUMN "brief";
        ALTER TABLE "boards" DROP COLUMN "resume_after_seconds";
        ALTER TABLE "task_checklist_items" DROP COLUMN "is_criterion";
        ALTER TABLE "task_runs" DROP COLUMN "ready_at";
        ALTER TABLE "task_runs" DROP COLUMN "checked";
        ALTER TABLE "task_runs" DROP COLUMN "cached_tokens";
        ALTER TABLE "task_runs" DROP COLUMN "parked_at";
        ALTER TABLE "task_runs" DROP COLUMN "resumes_on_any";
        ALTER TABLE "deliveries" DROP COLUMN "offered_at";
        ALTER TABLE "deliveries" DROP COLUMN "taken_at";
        ALTER TABLE "tasks" DROP COLUMN "blocks_parent";
        ALTER TABLE "tasks" DROP COLUMN "parent_id";
        DROP TABLE IF EXISTS "task_links";
        DROP TABLE IF EXISTS "task_proposals";
        DROP TABLE IF EXISTS "session_activities";
        DROP TABLE IF EXISTS "agent_sessions";
        DROP TABLE IF EXISTS "run_notes";
        DELETE FROM "notifications" WHERE "kind" = 'note';
        ALTER TABLE "notifications" DROP CONSTRAINT "ck_notifications_kind";
        ALTER TABLE "notifications" ADD CONSTRAINT "ck_notifications_kind" CHECK ("kind" IN ('mention', 'assignment'));
        COMMENT ON TABLE "notifications" IS 'Something that concerns a person by name: `kind` is `mention` or `assignment`.';
    """,
}

upgrade, downgrade = by_dialect({name: sql + ASKS_OF_EXPIRED_RUNS for name, sql in UP.items()}), by_dialect(DOWN)
