from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS "task_runs" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "agent_name" TEXT NOT NULL,
            "fence" INT NOT NULL,
            "state" VARCHAR(16) NOT NULL,
            "started_at" TIMESTAMP NOT NULL,
            "lease_expires_at" TIMESTAMP,
            "ended_at" TIMESTAMP,
            "end_reason" TEXT,
            "summary" TEXT,
            "evidence" JSON,
            "input_tokens" BIGINT NOT NULL,
            "output_tokens" BIGINT NOT NULL,
            "cost_micros" BIGINT NOT NULL,
            "agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE SET NULL,
            "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "task_id" CHAR(36) NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_task_runs_task_id_e38285" UNIQUE ("task_id", "fence"),
            CONSTRAINT "ck_task_runs_state" CHECK ("state" IN ('running', 'completed', 'released', 'expired', 'superseded')),
            CONSTRAINT "ck_task_runs_ended" CHECK (("state" = 'running') = ("ended_at" IS NULL)),
            CONSTRAINT "ck_task_runs_usage" CHECK ("input_tokens" >= 0 AND "output_tokens" >= 0 AND "cost_micros" >= 0)
        ) /* One hand-out of a task. While it is `running` it is the task's lease, for ever when it has no expiry. */;
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_task_runs_running" ON "task_runs" ("task_id") WHERE "ended_at" IS NULL;
        CREATE INDEX IF NOT EXISTS "idx_task_runs_lease" ON "task_runs" ("lease_expires_at") WHERE "ended_at" IS NULL;
        CREATE INDEX IF NOT EXISTS "idx_task_runs_board_i_e5f4ad" ON "task_runs" ("board_id", "started_at");
        CREATE INDEX IF NOT EXISTS "idx_task_runs_agent_i_3a95fe" ON "task_runs" ("agent_id", "started_at");
        CREATE TABLE IF NOT EXISTS "budgets" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "unit" VARCHAR(16) NOT NULL,
            "period" VARCHAR(16) NOT NULL,
            "limit_amount" BIGINT NOT NULL,
            "used_amount" BIGINT NOT NULL,
            "used_on" VARCHAR(10),
            "warned_on" VARCHAR(10),
            "exceeded_on" VARCHAR(10),
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE CASCADE,
            "board_id" CHAR(36) REFERENCES "boards" ("id") ON DELETE CASCADE,
            "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            CONSTRAINT "ck_budgets_unit" CHECK ("unit" IN ('tokens', 'cost')),
            CONSTRAINT "ck_budgets_period" CHECK ("period" IN ('day', 'total')),
            CONSTRAINT "ck_budgets_limit" CHECK ("limit_amount" > 0),
            CONSTRAINT "ck_budgets_one_subject" CHECK ("agent_id" IS NULL OR "board_id" IS NULL)
        ) /* A limit for one agent, one board, or (neither given) the organization, for each UTC day or in total. */;
        CREATE TABLE IF NOT EXISTS "usage_entries" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "task_id" CHAR(36),
            "day" VARCHAR(10) NOT NULL,
            "input_tokens" BIGINT NOT NULL,
            "output_tokens" BIGINT NOT NULL,
            "cost_micros" BIGINT NOT NULL,
            "model" TEXT,
            "created_at" TIMESTAMP NOT NULL,
            "agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE SET NULL,
            "board_id" CHAR(36) REFERENCES "boards" ("id") ON DELETE SET NULL,
            "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "run_id" CHAR(36) REFERENCES "task_runs" ("id") ON DELETE SET NULL,
            CONSTRAINT "ck_usage_entries_amounts" CHECK ("input_tokens" >= 0 AND "output_tokens" >= 0 AND "cost_micros" >= 0)
        ) /* Tokens and money that an agent reported at once. `cost_micros` is in millionths of a US dollar. */;
        CREATE INDEX IF NOT EXISTS "idx_usage_entri_organiz_f5324d" ON "usage_entries" ("organization_id", "day");
        CREATE INDEX IF NOT EXISTS "idx_usage_entri_board_i_04fcfe" ON "usage_entries" ("board_id", "day");
        CREATE INDEX IF NOT EXISTS "idx_usage_entri_agent_i_bdb44a" ON "usage_entries" ("agent_id", "day");
        CREATE TABLE IF NOT EXISTS "agent_souls" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "content" TEXT NOT NULL,
            "source_url" TEXT,
            "reason" TEXT,
            "author_kind" VARCHAR(16) NOT NULL,
            "author_id" CHAR(36),
            "author_name" TEXT,
            "created_at" TIMESTAMP NOT NULL,
            "agent_id" CHAR(36) NOT NULL REFERENCES "agents" ("id") ON DELETE CASCADE
        ) /* One text that was an agent's soul, and who wrote it why; the newest is the present one. */;
        CREATE INDEX IF NOT EXISTS "idx_agent_souls_agent_i_270e1a" ON "agent_souls" ("agent_id", "created_at");
        CREATE TABLE IF NOT EXISTS "agent_questions" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "agent_name" TEXT NOT NULL,
            "content" TEXT NOT NULL,
            "correlation_id" TEXT,
            "preferred_channel" TEXT,
            "reply_tags" JSON NOT NULL,
            "reply_source" TEXT,
            "state" VARCHAR(16) NOT NULL,
            "answer" TEXT,
            "answered_at" TIMESTAMP,
            "created_at" TIMESTAMP NOT NULL,
            "agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE SET NULL,
            "answered_by_user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL,
            "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            CONSTRAINT "ck_agent_questions_state" CHECK ("state" IN ('open', 'answered', 'withdrawn'))
        ) /* A lead's question to people: `open`, `answered`, or `withdrawn`. The answer is also an entry of the memory. */;
        CREATE INDEX IF NOT EXISTS "idx_agent_quest_board_i_5e0116" ON "agent_questions" ("board_id", "state", "created_at");
        CREATE TABLE IF NOT EXISTS "board_onboarding_sessions" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "session_key" TEXT NOT NULL,
            "status" VARCHAR(16) NOT NULL,
            "messages" JSON NOT NULL,
            "draft_goal" JSON,
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            CONSTRAINT "ck_board_onboarding_status" CHECK ("status" IN ('active', 'completed', 'confirmed'))
        ) /* One conversation about a board: `active`, `completed` by the agent, `confirmed` by a person. */;
        CREATE INDEX IF NOT EXISTS "idx_board_onboa_board_i_d5d7e6" ON "board_onboarding_sessions" ("board_id", "updated_at");
        ALTER TABLE "tokens" ADD "requests_per_minute" INT;
        ALTER TABLE "organizations" ADD "work_state_at" TIMESTAMP;
        ALTER TABLE "organizations" ADD "work_state_reason" TEXT;
        ALTER TABLE "organizations" ADD "work_state" VARCHAR(16) NOT NULL DEFAULT 'running'
            CONSTRAINT "ck_organizations_work_state" CHECK ("work_state" IN ('running', 'paused', 'stopped'));
        ALTER TABLE "organizations" ADD "delivery_seq" BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE "boards" ADD "work_state_at" TIMESTAMP;
        ALTER TABLE "boards" ADD "wip_limits" JSON;
        ALTER TABLE "boards" ADD "work_state" VARCHAR(16) NOT NULL DEFAULT 'running'
            CONSTRAINT "ck_boards_work_state" CHECK ("work_state" IN ('running', 'paused', 'stopped'));
        ALTER TABLE "boards" ADD "work_state_reason" TEXT;
        ALTER TABLE "agents" ADD "work_state_at" TIMESTAMP;
        ALTER TABLE "agents" ADD "callback_url" TEXT;
        ALTER TABLE "agents" ADD "callback_secret" TEXT;
        ALTER TABLE "agents" ADD "work_state" VARCHAR(16) NOT NULL DEFAULT 'running'
            CONSTRAINT "ck_agents_work_state" CHECK ("work_state" IN ('running', 'paused', 'stopped'));
        ALTER TABLE "agents" ADD "claim_tags" JSON;
        ALTER TABLE "agents" ADD "wip_limit" INT;
        ALTER TABLE "agents" ADD "work_state_reason" TEXT;
        ALTER TABLE "task_attachments" ADD "run_id" CHAR(36) REFERENCES "task_runs" ("id") ON DELETE SET NULL;
        ALTER TABLE "tasks" ADD "flag_reason" TEXT;
        ALTER TABLE "tasks" ADD "failed_attempts" INT NOT NULL DEFAULT 0;
        ALTER TABLE "tasks" ADD "retry_at" TIMESTAMP;
        ALTER TABLE "tasks" ADD "flagged_at" TIMESTAMP;
        ALTER TABLE "tasks" ADD "fence" INT NOT NULL DEFAULT 0;
        ALTER TABLE "deliveries" ADD "seq" BIGINT;
        CREATE INDEX IF NOT EXISTS "idx_deliveries_agent_i_b7b6e0" ON "deliveries" ("agent_id", "seq");
        CREATE INDEX IF NOT EXISTS "idx_deliveries_unread" ON "deliveries" ("agent_id", "seq") WHERE "state" <> 'sent';
        CREATE INDEX IF NOT EXISTS "idx_deliveries_open" ON "deliveries" ("agent_id", "seq")
            WHERE "state" <> 'sent' AND "state" <> 'failed';
        CREATE INDEX IF NOT EXISTS "idx_tasks_retry" ON "tasks" ("retry_at") WHERE "retry_at" IS NOT NULL;
        CREATE INDEX IF NOT EXISTS "idx_task_attachments_run" ON "task_attachments" ("run_id");
        CREATE INDEX IF NOT EXISTS "idx_usage_entries_run" ON "usage_entries" ("run_id");
        CREATE INDEX IF NOT EXISTS "idx_agent_questions_agent" ON "agent_questions" ("agent_id");
        CREATE INDEX IF NOT EXISTS "idx_budgets_organization" ON "budgets" ("organization_id");
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_budgets_agent" ON "budgets" ("agent_id", "unit", "period")
            WHERE "agent_id" IS NOT NULL;
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_budgets_board" ON "budgets" ("board_id", "unit", "period")
            WHERE "board_id" IS NOT NULL;
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_budgets_organization" ON "budgets" ("organization_id", "unit", "period")
            WHERE "agent_id" IS NULL AND "board_id" IS NULL;
        UPDATE "deliveries" SET "seq" = (
            SELECT COUNT(*) FROM "deliveries" AS "earlier"
            WHERE "earlier"."organization_id" = "deliveries"."organization_id"
            AND ("earlier"."created_at" < "deliveries"."created_at"
            OR ("earlier"."created_at" = "deliveries"."created_at" AND "earlier"."id" <= "deliveries"."id"))
        );
        UPDATE "organizations" SET "delivery_seq" = (
            SELECT COUNT(*) FROM "deliveries" WHERE "deliveries"."organization_id" = "organizations"."id"
        );
        INSERT INTO "task_runs" ("id", "agent_name", "fence", "state", "started_at", "input_tokens", "output_tokens",
            "cost_micros", "agent_id", "board_id", "task_id")
            SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
                || '-a' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))),
                "a"."name", 1, 'running', COALESCE("t"."in_progress_at", "t"."updated_at"), 0, 0, 0,
                "a"."id", "t"."board_id", "t"."id"
            FROM "tasks" AS "t" JOIN "agents" AS "a" ON "a"."id" = "t"."assigned_agent_id"
            WHERE "t"."status" = 'in_progress' AND "t"."deleted_at" IS NULL;
        UPDATE "tasks" SET "fence" = 1 WHERE "id" IN (SELECT "task_id" FROM "task_runs");
    """,
    "postgres": """
        CREATE TABLE IF NOT EXISTS "task_runs" (
            "id" UUID NOT NULL PRIMARY KEY,
            "agent_name" TEXT NOT NULL,
            "fence" INT NOT NULL,
            "state" VARCHAR(16) NOT NULL,
            "started_at" TIMESTAMP NOT NULL,
            "lease_expires_at" TIMESTAMP,
            "ended_at" TIMESTAMP,
            "end_reason" TEXT,
            "summary" TEXT,
            "evidence" JSONB,
            "input_tokens" BIGINT NOT NULL,
            "output_tokens" BIGINT NOT NULL,
            "cost_micros" BIGINT NOT NULL,
            "agent_id" UUID REFERENCES "agents" ("id") ON DELETE SET NULL,
            "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "task_id" UUID NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_task_runs_task_id_e38285" UNIQUE ("task_id", "fence"),
            CONSTRAINT "ck_task_runs_state" CHECK ("state" IN ('running', 'completed', 'released', 'expired', 'superseded')),
            CONSTRAINT "ck_task_runs_ended" CHECK (("state" = 'running') = ("ended_at" IS NULL)),
            CONSTRAINT "ck_task_runs_usage" CHECK ("input_tokens" >= 0 AND "output_tokens" >= 0 AND "cost_micros" >= 0)
        );
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_task_runs_running" ON "task_runs" ("task_id") WHERE "ended_at" IS NULL;
        CREATE INDEX IF NOT EXISTS "idx_task_runs_lease" ON "task_runs" ("lease_expires_at") WHERE "ended_at" IS NULL;
        CREATE INDEX IF NOT EXISTS "idx_task_runs_board_i_e5f4ad" ON "task_runs" ("board_id", "started_at");
        CREATE INDEX IF NOT EXISTS "idx_task_runs_agent_i_3a95fe" ON "task_runs" ("agent_id", "started_at");
        COMMENT ON TABLE "task_runs" IS 'One hand-out of a task. While it is `running` it is the task''s lease, for ever when it has no expiry.';
        CREATE TABLE IF NOT EXISTS "budgets" (
            "id" UUID NOT NULL PRIMARY KEY,
            "unit" VARCHAR(16) NOT NULL,
            "period" VARCHAR(16) NOT NULL,
            "limit_amount" BIGINT NOT NULL,
            "used_amount" BIGINT NOT NULL,
            "used_on" VARCHAR(10),
            "warned_on" VARCHAR(10),
            "exceeded_on" VARCHAR(10),
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "agent_id" UUID REFERENCES "agents" ("id") ON DELETE CASCADE,
            "board_id" UUID REFERENCES "boards" ("id") ON DELETE CASCADE,
            "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            CONSTRAINT "ck_budgets_unit" CHECK ("unit" IN ('tokens', 'cost')),
            CONSTRAINT "ck_budgets_period" CHECK ("period" IN ('day', 'total')),
            CONSTRAINT "ck_budgets_limit" CHECK ("limit_amount" > 0),
            CONSTRAINT "ck_budgets_one_subject" CHECK ("agent_id" IS NULL OR "board_id" IS NULL)
        );
        COMMENT ON TABLE "budgets" IS 'A limit for one agent, one board, or (neither given) the organization, for each UTC day or in total.';
        CREATE TABLE IF NOT EXISTS "usage_entries" (
            "id" UUID NOT NULL PRIMARY KEY,
            "task_id" UUID,
            "day" VARCHAR(10) NOT NULL,
            "input_tokens" BIGINT NOT NULL,
            "output_tokens" BIGINT NOT NULL,
            "cost_micros" BIGINT NOT NULL,
            "model" TEXT,
            "created_at" TIMESTAMP NOT NULL,
            "agent_id" UUID REFERENCES "agents" ("id") ON DELETE SET NULL,
            "board_id" UUID REFERENCES "boards" ("id") ON DELETE SET NULL,
            "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "run_id" UUID REFERENCES "task_runs" ("id") ON DELETE SET NULL,
            CONSTRAINT "ck_usage_entries_amounts" CHECK ("input_tokens" >= 0 AND "output_tokens" >= 0 AND "cost_micros" >= 0)
        );
        CREATE INDEX IF NOT EXISTS "idx_usage_entri_organiz_f5324d" ON "usage_entries" ("organization_id", "day");
        CREATE INDEX IF NOT EXISTS "idx_usage_entri_board_i_04fcfe" ON "usage_entries" ("board_id", "day");
        CREATE INDEX IF NOT EXISTS "idx_usage_entri_agent_i_bdb44a" ON "usage_entries" ("agent_id", "day");
        COMMENT ON TABLE "usage_entries" IS 'Tokens and money that an agent reported at once. `cost_micros` is in millionths of a US dollar.';
        CREATE TABLE IF NOT EXISTS "agent_souls" (
            "id" UUID NOT NULL PRIMARY KEY,
            "content" TEXT NOT NULL,
            "source_url" TEXT,
            "reason" TEXT,
            "author_kind" VARCHAR(16) NOT NULL,
            "author_id" UUID,
            "author_name" TEXT,
            "created_at" TIMESTAMP NOT NULL,
            "agent_id" UUID NOT NULL REFERENCES "agents" ("id") ON DELETE CASCADE
        );
        CREATE INDEX IF NOT EXISTS "idx_agent_souls_agent_i_270e1a" ON "agent_souls" ("agent_id", "created_at");
        COMMENT ON TABLE "agent_souls" IS 'One text that was an agent''s soul, and who wrote it why; the newest is the present one.';
        CREATE TABLE IF NOT EXISTS "agent_questions" (
            "id" UUID NOT NULL PRIMARY KEY,
            "agent_name" TEXT NOT NULL,
            "content" TEXT NOT NULL,
            "correlation_id" TEXT,
            "preferred_channel" TEXT,
            "reply_tags" JSONB NOT NULL,
            "reply_source" TEXT,
            "state" VARCHAR(16) NOT NULL,
            "answer" TEXT,
            "answered_at" TIMESTAMP,
            "created_at" TIMESTAMP NOT NULL,
            "agent_id" UUID REFERENCES "agents" ("id") ON DELETE SET NULL,
            "answered_by_user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL,
            "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            CONSTRAINT "ck_agent_questions_state" CHECK ("state" IN ('open', 'answered', 'withdrawn'))
        );
        CREATE INDEX IF NOT EXISTS "idx_agent_quest_board_i_5e0116" ON "agent_questions" ("board_id", "state", "created_at");
        COMMENT ON TABLE "agent_questions" IS 'A lead''s question to people: `open`, `answered`, or `withdrawn`. The answer is also an entry of the memory.';
        CREATE TABLE IF NOT EXISTS "board_onboarding_sessions" (
            "id" UUID NOT NULL PRIMARY KEY,
            "session_key" TEXT NOT NULL,
            "status" VARCHAR(16) NOT NULL,
            "messages" JSONB NOT NULL,
            "draft_goal" JSONB,
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            CONSTRAINT "ck_board_onboarding_status" CHECK ("status" IN ('active', 'completed', 'confirmed'))
        );
        CREATE INDEX IF NOT EXISTS "idx_board_onboa_board_i_d5d7e6" ON "board_onboarding_sessions" ("board_id", "updated_at");
        COMMENT ON TABLE "board_onboarding_sessions" IS 'One conversation about a board: `active`, `completed` by the agent, `confirmed` by a person.';
        ALTER TABLE "tokens" ADD "requests_per_minute" INT;
        ALTER TABLE "organizations" ADD "work_state_at" TIMESTAMP;
        ALTER TABLE "organizations" ADD "work_state_reason" TEXT;
        ALTER TABLE "organizations" ADD "work_state" VARCHAR(16) NOT NULL DEFAULT 'running'
            CONSTRAINT "ck_organizations_work_state" CHECK ("work_state" IN ('running', 'paused', 'stopped'));
        ALTER TABLE "organizations" ADD "delivery_seq" BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE "boards" ADD "work_state_at" TIMESTAMP;
        ALTER TABLE "boards" ADD "wip_limits" JSONB;
        ALTER TABLE "boards" ADD "work_state" VARCHAR(16) NOT NULL DEFAULT 'running'
            CONSTRAINT "ck_boards_work_state" CHECK ("work_state" IN ('running', 'paused', 'stopped'));
        ALTER TABLE "boards" ADD "work_state_reason" TEXT;
        ALTER TABLE "agents" ADD "work_state_at" TIMESTAMP;
        ALTER TABLE "agents" ADD "callback_url" TEXT;
        ALTER TABLE "agents" ADD "callback_secret" TEXT;
        ALTER TABLE "agents" ADD "work_state" VARCHAR(16) NOT NULL DEFAULT 'running'
            CONSTRAINT "ck_agents_work_state" CHECK ("work_state" IN ('running', 'paused', 'stopped'));
        ALTER TABLE "agents" ADD "claim_tags" JSONB;
        ALTER TABLE "agents" ADD "wip_limit" INT;
        ALTER TABLE "agents" ADD "work_state_reason" TEXT;
        ALTER TABLE "task_attachments" ADD "run_id" UUID;
        ALTER TABLE "tasks" ADD "flag_reason" TEXT;
        ALTER TABLE "tasks" ADD "failed_attempts" INT NOT NULL DEFAULT 0;
        ALTER TABLE "tasks" ADD "retry_at" TIMESTAMP;
        ALTER TABLE "tasks" ADD "flagged_at" TIMESTAMP;
        ALTER TABLE "tasks" ADD "fence" INT NOT NULL DEFAULT 0;
        ALTER TABLE "deliveries" ADD "seq" BIGINT;
        ALTER TABLE "task_attachments" ADD CONSTRAINT "fk_task_att_task_run_b4eaa824" FOREIGN KEY ("run_id") REFERENCES "task_runs" ("id") ON DELETE SET NULL;
        CREATE INDEX IF NOT EXISTS "idx_deliveries_agent_i_b7b6e0" ON "deliveries" ("agent_id", "seq");
        CREATE INDEX IF NOT EXISTS "idx_deliveries_unread" ON "deliveries" ("agent_id", "seq") WHERE "state" <> 'sent';
        CREATE INDEX IF NOT EXISTS "idx_deliveries_open" ON "deliveries" ("agent_id", "seq")
            WHERE "state" <> 'sent' AND "state" <> 'failed';
        CREATE INDEX IF NOT EXISTS "idx_tasks_retry" ON "tasks" ("retry_at") WHERE "retry_at" IS NOT NULL;
        CREATE INDEX IF NOT EXISTS "idx_task_attachments_run" ON "task_attachments" ("run_id");
        CREATE INDEX IF NOT EXISTS "idx_usage_entries_run" ON "usage_entries" ("run_id");
        CREATE INDEX IF NOT EXISTS "idx_agent_questions_agent" ON "agent_questions" ("agent_id");
        CREATE INDEX IF NOT EXISTS "idx_budgets_organization" ON "budgets" ("organization_id");
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_budgets_agent" ON "budgets" ("agent_id", "unit", "period")
            WHERE "agent_id" IS NOT NULL;
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_budgets_board" ON "budgets" ("board_id", "unit", "period")
            WHERE "board_id" IS NOT NULL;
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_budgets_organization" ON "budgets" ("organization_id", "unit", "period")
            WHERE "agent_id" IS NULL AND "board_id" IS NULL;
        UPDATE "deliveries" SET "seq" = (
            SELECT COUNT(*) FROM "deliveries" AS "earlier"
            WHERE "earlier"."organization_id" = "deliveries"."organization_id"
            AND ("earlier"."created_at" < "deliveries"."created_at"
            OR ("earlier"."created_at" = "deliveries"."created_at" AND "earlier"."id" <= "deliveries"."id"))
        );
        UPDATE "organizations" SET "delivery_seq" = (
            SELECT COUNT(*) FROM "deliveries" WHERE "deliveries"."organization_id" = "organizations"."id"
        );
        INSERT INTO "task_runs" ("id", "agent_name", "fence", "state", "started_at", "input_tokens", "output_tokens",
            "cost_micros", "agent_id", "board_id", "task_id")
            SELECT gen_random_uuid(),
                "a"."name", 1, 'running', COALESCE("t"."in_progress_at", "t"."updated_at"), 0, 0, 0,
                "a"."id", "t"."board_id", "t"."id"
            FROM "tasks" AS "t" JOIN "agents" AS "a" ON "a"."id" = "t"."assigned_agent_id"
            WHERE "t"."status" = 'in_progress' AND "t"."deleted_at" IS NULL;
        UPDATE "tasks" SET "fence" = 1 WHERE "id" IN (SELECT "task_id" FROM "task_runs");
    """,
}

DOWN = {
    "sqlite": """
        DROP INDEX IF EXISTS "idx_deliveries_agent_i_b7b6e0";
        DROP INDEX IF EXISTS "idx_deliveries_unread";
        DROP INDEX IF EXISTS "idx_deliveries_open";
        DROP INDEX IF EXISTS "idx_tasks_retry";
        DROP INDEX IF EXISTS "idx_task_attachments_run";
        ALTER TABLE "tokens" DROP COLUMN "requests_per_minute";
        ALTER TABLE "organizations" DROP COLUMN "work_state_at";
        ALTER TABLE "organizations" DROP COLUMN "work_state_reason";
        ALTER TABLE "organizations" DROP COLUMN "work_state";
        ALTER TABLE "organizations" DROP COLUMN "delivery_seq";
        ALTER TABLE "boards" DROP COLUMN "work_state_at";
        ALTER TABLE "boards" DROP COLUMN "wip_limits";
        ALTER TABLE "boards" DROP COLUMN "work_state";
        ALTER TABLE "boards" DROP COLUMN "work_state_reason";
        ALTER TABLE "agents" DROP COLUMN "work_state_at";
        ALTER TABLE "agents" DROP COLUMN "callback_url";
        ALTER TABLE "agents" DROP COLUMN "callback_secret";
        ALTER TABLE "agents" DROP COLUMN "work_state";
        ALTER TABLE "agents" DROP COLUMN "claim_tags";
        ALTER TABLE "agents" DROP COLUMN "wip_limit";
        ALTER TABLE "agents" DROP COLUMN "work_state_reason";
        ALTER TABLE "task_attachments" DROP COLUMN "run_id";
        ALTER TABLE "tasks" DROP COLUMN "flag_reason";
        ALTER TABLE "tasks" DROP COLUMN "failed_attempts";
        ALTER TABLE "tasks" DROP COLUMN "retry_at";
        ALTER TABLE "tasks" DROP COLUMN "flagged_at";
        ALTER TABLE "tasks" DROP COLUMN "fence";
        ALTER TABLE "deliveries" DROP COLUMN "seq";
        DROP TABLE IF EXISTS "usage_entries";
        DROP TABLE IF EXISTS "board_onboarding_sessions";
        DROP TABLE IF EXISTS "task_runs";
        DROP TABLE IF EXISTS "agent_questions";
        DROP TABLE IF EXISTS "agent_souls";
        DROP TABLE IF EXISTS "budgets";
    """,
    "postgres": """
        DROP INDEX IF EXISTS "idx_deliveries_agent_i_b7b6e0";
        DROP INDEX IF EXISTS "idx_deliveries_unread";
        DROP INDEX IF EXISTS "idx_deliveries_open";
        DROP INDEX IF EXISTS "idx_tasks_retry";
        DROP INDEX IF EXISTS "idx_task_attachments_run";
        ALTER TABLE "tokens" DROP COLUMN "requests_per_minute";
        ALTER TABLE "organizations" DROP COLUMN "work_state_at";
        ALTER TABLE "organizations" DROP COLUMN "work_state_reason";
        ALTER TABLE "organizations" DROP COLUMN "work_state";
        ALTER TABLE "organizations" DROP COLUMN "delivery_seq";
        ALTER TABLE "boards" DROP COLUMN "work_state_at";
        ALTER TABLE "boards" DROP COLUMN "wip_limits";
        ALTER TABLE "boards" DROP COLUMN "work_state";
        ALTER TABLE "boards" DROP COLUMN "work_state_reason";
        ALTER TABLE "agents" DROP COLUMN "work_state_at";
        ALTER TABLE "agents" DROP COLUMN "callback_url";
        ALTER TABLE "agents" DROP COLUMN "callback_secret";
        ALTER TABLE "agents" DROP COLUMN "work_state";
        ALTER TABLE "agents" DROP COLUMN "claim_tags";
        ALTER TABLE "agents" DROP COLUMN "wip_limit";
        ALTER TABLE "agents" DROP COLUMN "work_state_reason";
        ALTER TABLE "task_attachments" DROP COLUMN "run_id";
        ALTER TABLE "tasks" DROP COLUMN "flag_reason";
        ALTER TABLE "tasks" DROP COLUMN "failed_attempts";
        ALTER TABLE "tasks" DROP COLUMN "retry_at";
        ALTER TABLE "tasks" DROP COLUMN "flagged_at";
        ALTER TABLE "tasks" DROP COLUMN "fence";
        ALTER TABLE "deliveries" DROP COLUMN "seq";
        DROP TABLE IF EXISTS "usage_entries";
        DROP TABLE IF EXISTS "board_onboarding_sessions";
        DROP TABLE IF EXISTS "task_runs";
        DROP TABLE IF EXISTS "agent_questions";
        DROP TABLE IF EXISTS "agent_souls";
        DROP TABLE IF EXISTS "budgets";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
