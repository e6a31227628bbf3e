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
    """,
}

DOWN = {
    "sqlite": """
        DROP INDEX IF EXISTS "idx_deliveries_agent_i_b7b6e0";
        DROP INDEX IF EXISTS "idx_deliveries_unread";
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


MODELS_STATE = (
    "eJztXW1z2za2/isYfWk7o3oc23HS9M6dsVO369007k2c7e7d7tAQCUu8pgiFIK2o3f73C4CkxBeQIiiSoqizO9PIJA"
    "4oPQABnOe8/TGaU4s47OTKNGng+jfPxPVHb9AfIxfPCf+gvD9GI7xYbO6KCz6eOFIAhy0NIprKW3jCfA+bot9H7DDC"
    "L1mEmZ698G3qCpk7lyDe2lsh+oj8GUFRJ8ih0zeI2VP3W9tlY7TAjC2pZ/GPPn0iLjtB74P5hHjEQti1kDnDtss/O/"
    "YT71B+gRPxDSxq8q9gu9MuHha49ueAGD6dEt67xx/5r3/zy7ZrkS+EiT//GD3axLHk51HAiGfYlpBk5PNINCVfFh5h"
    "jIPDYuloONzAcQTYq4XEeiQbc3DlH3+KhosnQ3aeGsSwe3ndiGU/fbr94UfZUgA0MUzqBHN303qx8mfUXTcPAts6ET"
    "Li3pS4xMM+sRJDKr5aNAfiSyES/ILvBWQNgbW5YJFHHDhiYoz+6zFwTTEf0NyWP51/IT5I1DkxqUdObIuduGTJgfrv"
    "6PsmZA3j/d298fHm3jBGuckVQZacAtEl/gAxMW0xTTlaf4b9blCSV0fiAW//cvXh6/PLbyQulPlTT96UGI7+lILYx8"
    "ZmVDfQizHNYX9tT29dX41+JJCB3w5fu+aBj+FpAVD+bfk/3353dnZ+/urs9Pzy9cuLV69evj59zdvK75u/9apkFK5v"
    "f7p9fy++EOXLSbjaiAtiADaAP/Efm0f87Qx7arzj9hnA+Q+pA3h8YYP4ZsnrAvI5/mI4xJ36M/7n5UUJmn+/+iCn9e"
    "XFN2lI30d3zuStNLiJxarqapIQ2WFJieZtX3DeZa3YoMn3RKoLZ1IG8EzjKRbhPJb3fIdUYxm37+7VH/3x5x62r/ub"
    "f8hlc87YZyf5in/989U/JLDzVXTn3d37n+LmiSXh7bu76wzY/IjybMwwm+kstikhWHErrLi6CAO4GuCaHhFgGNhXLM"
    "G++QO/6dtzokY6LZzB24pET+IPra0oWw7OpkPNpxOXLvdxbr6//fnm4/3Vz7+kVp8fru5vxJ2z1MoTX/36MjOA607Q"
    "r7f3f0HiT/S/d+9vRuLBOPCpwX+dga0kPvHl+JJUjR6fEid0cWGCzacl9iwjd4ee0aK2+Vvzs3n2CnbxVA6YgEx8z0"
    "iNvuXIYdckH4nvh5jmNO1sk3GZsm1HjQ0WttbQt5+xE5BYBV7OqEOQ7I1PR9FsjFhgzhBm8j7vPlggk3+Brxh65A8i"
    "3oJPCl+tXTfX9XZdulDnlf9qLJxx+2YWzv0qXq0sm8U6rhxvnYPXWmAQu1QXJ6+erF+/RJzYB8JfW9XqlW5QunbF/J"
    "rhibYVV64rRF3yrdhQkWO7T2hp+zO+xNhiPUEL4jG+D4re+F8uWa45vPw6tUtHO6xKwMTtjYlL7C06+0JGDLaHradq"
    "8mVh82Gpd6pOC+/rVL2n3aI3x+UM51dTQ0pINjCQh0NZ9XMcQdk9xlHfG2N/QOvulkNF7uydRjcP7Y98LtpT929kJQ"
    "GONXoFoNGp+VPUzWFCurm6WaU9vFyffpMTiv92/ouJHx66rj6+vfrhJjRcd6/MfAxt7COFGhPfKlVgWGyjr6i5CNcC"
    "Yn1ru2ji0SXH5HtJgJiUPtn8H+x5NhH6BiN8tfUFccJIkhFBYhpZDHGVg6gUmsb7Bz0H9BzQc8qN4XxpUeFczH2lpW"
    "rBfEAn4TYsj6BfDuqE6mDmG4wQt96AZsVBNzmYkQeN9BhHHTRS0EhBI1VqpPfCz3yk0EfDG+MybTT0Ua+qi04I9ogX"
    "q4L0UVjDYrPX1w9zMzAevkHUk5flYVVexfzq9/yas0K2n7LWI5uhJ7JQOAS0/CzQUQ9RR1U7ZxQrTc06Z1Ta2PexX7"
    "fkp/lof9FhAjYSg3DPSNMALy4r0AAvsoegDQ0gbqUBBr6lI76FmVT0kcP4rx/v3hfE0qwlsvqBbfroP8ixWZWwmsPh"
    "WwQU5StIdrHIrN2ig+wK4hH+s5nPDL5nG3PbDXzF2l0Yz1QgXSu+qWcDEQU4nb24eHXx+vzyYh3XtL5SFs6UD13qF7"
    "HVM7APTs/1yDM/ktdkN9LCMJp7H01JM9Z3hcmKw4jufUSBfTzGUZcEg27MZUIGYi4hInigZG4/Ed2dy829/g1AehX3"
    "M0xMkytenwhyOZMV/Hg8w4vpcTFLKrPjITmt4rITd4B5PkTmmZ8rvCejcNcq5utygoNj7M5evqxA2fFWhZydvJfhNO"
    "bYdnRwXgsMwTUqDfD52WkFgHmrQoDlPQXAxjPxbN6pYkZfU+oQ7JaAnRLOoD7h0m1pL+sr3S4e13d371IqyfVt1ozy"
    "6efrmw9fv5DDwBvZ4d6XJ+w6NWP1bGrvw45FPI/r3Lqo5yUB/zr4U5cGrsL+Uob8RgYw18dccEe/U1drtidlAHN9zF"
    "3qq4yMJYt6LABo66MtlAqOrA7eCRFAXB9xmxksELZYbM1tV/O8mBeG86LGeXGd8kKd1atkI80KwsyvsdaAwecIDT7B"
    "wqo/6mlhGPWDGXXM4XomBvWm2LV/l2nH9BOtFvQARqtSo5UCuAYMLneZ7g4S6O12l8JJl7LC8K+D3n96925fZphryr"
    "u4Mk3CwgmTscYkb4/LjDKp3zkRUgbeiG011Pw6wz7CaE5EVn6ZwYsG/IKLsON8K7tj6NHBUzTHK2RRxNdPEWMg7+SN"
    "Ozv3pjAI/Sv9E8O+RVspNfo3GIx6sZqNywxG2DX42U+XWU+KdagjxeNysCqSwG3p2SoX4614r+VAKdVBHNSiIzwgg1"
    "p0jKMenrH0ThNJGYi+ziyeiuOdJrzFPQDY5YpmwdF6R0Xz53VHh4nxVh2zeMJtd58M1ZbdQb6O+xkoxsk1s0/+k7fu"
    "c3gOVJQdeI4OzxXVdVsKVHWpdJFsL0W/lwH9Ml+BCOVnPpUl9URqumSUv6ixx2Z0KdRsU5Xwrpk+wY3zELXycPZZhr"
    "Z7YU6wrRj3/flxtuJmCFHuHUW583dTq25J3L7D1Bibs9Yh5mvAjhNyzawOr6eQBrZJg21K4FeH5lOJA/46+JsmWdQm"
    "fjLSEMW8d0anXzkjeqqvHc5wAhl/jKMOZPwxjvp6M52sigMSyxyUlOLgnaQ2b9YDWS0NGJdYQXYwf4DdQ9fu0QAXr+"
    "lZ11OI9cweVe0dmde/AbSHnYtDvVwW+C6W7YWA9FZPUeXu3ys30dCmtMVZNN9orGmDqu05GhmQiLVx+nQcNCFIPAz5"
    "tKrPaK1+tnuL2muTHHiL9mlrHpfYpcBbFLxFB80fA0F1jFQFEFTHOOrgLdoqTxIeXnehS5I9ANga3qKbo/WOSubGbe"
    "4wMdakTZITDrxFh+4tGrlCK5T2jZN0RU09VIw1E3B+xdDCwSbh6rVQspMdvkF0yefCGMlEJKJ6VPiE4pyddTvbqqfL"
    "RoJrAv28H5vAuEQ/B+868K4bsHYO3nXAjoCeDOwIjHr7ow5OD61yJVAmGnxIOoa4HR8SqMhdBdqeVuROTWwFEZKd+N"
    "XokIo8yM0z8fhc4PAiXzgaTIhD3akIcw25iDehOwEbh2Wz+b8RzTKWga7C34A8i3raDp3miZHGe4dI2kNkRPpfintP"
    "8SEtJV+2yJxqquUJKdDGNbRxvjAZjHxWoG1PC+sVJ4Rq1SiuhfVpSzhHFYq/Ozs7P391dnp++frlxatXL1+frksV52"
    "+V1Sy+vv1JwJwaDjXu6gzXxURrUqZDsvV0x/91Q9M2H2XOjye22P/134+sJLwk9V6SJfWeDH7oV5G0xa9JWqrDF8UL"
    "XFeA2Ml8b94sscFNGBaYSuktPvIohSEDv/7xJwFkLa40Jw8B6HunQcHkcYyjDiaPYxn1HIm8HyIu9AErSjZfTr2FPF"
    "Y1zu0qZL1k/neZU84LHMJUbkWF7bbzYH+MNr868v6aejRYCAJUNCVfFh6RU3INTPSro4kUvywj2Zj/JPmHfEMTPSvo"
    "6sSCu8uDgMgDIu+oiTzmBFMdsOP2AHYNsJNfUwPzjFiHyvI+DgxtAD/lwCzxStMMn5ZqNVdGl4kfm3FrCHd7iUYO0m"
    "LaJy3V4UyeUuwcKsdJJ/9HZD0lnUUjJQQcT42dMZBx+Mac8O9lKirp/vXj3fuCTTIvmlUObdNH/0GOzaqwzIczEgKT"
    "8pHIgp5ZaUQHuerR2OMaiGEpKeatSnpGGpi2vXMuYi0Wusqj7c2Jrmd9XhhMyRqmZAkfo4Fnau0mGTHYT/T3E498Dm"
    "yPGHix8Ogzh/OReoYVFbjXeAFK+4GcG9VfhRhIjzzbZGlMCAeS7DIi6o5gedKJO6HzOXF9I4LUkpM7xFVzULb0BKOi"
    "MSoTYUGQ9sqAGeYMu1PCDEEYGwviWvz7rRcjzUHS6xjGTGPMqOusuFKKLUPkCAqxjZDWHKQtPcGoaIyKYApCL+T8IB"
    "R6KqWFuvNTetES1JGf0tmLi1cXr88vL9buSesrZV5JCg8ke2E49txWgVqspKelQD+vr5+DBxh4gPV4zoMHWP+GpJe8"
    "lI/ZEx+iQFUZrHBzTgsNxom4sc05jICr6WCVFoZXZO+vCDhJHuOog5PkMY56xp8vP/JbcmcmJaHQCBQaaRleSBLRhy"
    "QRiVe/AaSlT/RPcWcHuVBUTJqZXCx7VfviQ6DMFyEuj8t81aVe5AVVU0TcuQTNsGt9SwMf0UeEkejgBP06sx2CbF8U"
    "Q3+ImJuH6G9/RmSrrxhyCBa9PlJP5HLw0HIm6qf7vEuGXIpkfchV3vm9k6f+5v7mPjwSPtEfMvJuIKts8AfHX4Ih7I"
    "dZLOZUmK9O0IPJlzpjbpseZVLeFicYx+G4+TMWfulPH5FF+XtQkuhTPFG+kOJ75DJ8Kvz4w6nIX1CvATf7jD+/JLOb"
    "fQI48vfPkT8cZl13/rQU+JnXICfDlzyHeSGHtW7fHX3VItpNM1jalg0wamgbNRK7QH613sYwpIWBYTgYhkGen4ydKn"
    "+rugCeeO8jSzhONd/mpCiMZB9GsoadOS0FBuY64SfzOfZWOqAnRABxfcTJs22pD87FTkRJGXAhqu9CZLuLwDd8+kRc"
    "lXtiSRqvrORgLPAdp/GigV93CHKiMAb1xiBB9emNQEYQ8K+Hf5KXrMoYJmXAyqmKEYe6i40BKo0qengmRADOcjMxlP"
    "nTsVhWtQivLU+7gXofdTNQTBOv6XZI5Z7TAKZXcT8HuTltxTS5NffKpn4VB7UpDOtXiYC3Yut6HBanYV0XgZCE+dJa"
    "jZFFTFtw1CfoIf74gHziOIzf9IjMHUJd9OjRORK+6oiJCgni58sOolg9tUW9tSfVSkjXaL64jCF7EwUH+eiGa8aWP2"
    "qdtKiyHTstBobsGpTcAq8cqiq+WczIJUSAkKtPyMkMKwV06I8c4EIiIimWGYBHITesWf/D3afrdzfolw83b28/3kbj"
    "sDbSyJvi0iYk+MPN1btsHopg4tmmwcQqqRXBmhOECV9/wheFxpe7eShD4Nv084jyIrS1g7bt5xGfAHVwTsoMwa6Vxv"
    "j8rALG52eFGItbaYxdqnJXKsmfS3fwVuoZtt0ndWLUeebn/snKeOK/WWdeq2SHMAZtryFr3Gq5l2SkwcNk7x4mEFN6"
    "jKMOMaXHOOpgYQULa68Bjbjr8FRWo3R7kTxM3OKDcy2YleKAMhi4OzdwgzW2KWts6ULcAMKfom6GCXDR1lMJ7PRyCl"
    "hvxVq5//TSy0B6zpR4GsSeNdu9DQzppeLY7lPlInRCIgxoxy6K+xFh7HhCAxHebrM41+8D8siCa/NhiHzc9iuGZDxl"
    "5E0QThQkp4eqmF3rz1NG1yezFEt/p9IA+9jXBxwFhuUosJla+SEozbCcFoQc/hr54oE7PEYWKd6PNImktBhwH+Bd3q"
    "HyXVwiQV9TTHR1mNBu1xbT7yq4mXfkZr4fVeU6sPhxeqRQUqI7perJRLaprJLIpP/yeE9dfu4XtMRYfpS0D//ooa9d"
    "YovTPZraz8T9RioIyXR4Uc4vbM7Qp/u3yMIrIWW7yKc+dlR6SfsPlWnG+Hz0ZZawhzAa8wF9LQNkuTZkoTBOE8Wqyz"
    "dCXKYX460KU4p9U9HzGhSS/ikkYjbkwS/2SInbD8JXuW03lAXxbKrl8LOR6NBhkC8TbU3athGWa6aB5+qM/GXx0FnJ"
    "IeU16zgmmm/uLteR9Vw2U0ID9Gk7rTLVT4un+ml2qpMvJiGWNs4ZMUB6O9LAGB0jYwTeZsc46uBtNhhvs0HiCVUgui"
    "RgoQpEHcawfhWIBjCu6mjWz9UB/Mx65We2Z477E+PXb/iBbTVS8NyJu+MyrjsQ7Qz+Cz2bVGS87yUTLBngOXXJauMe"
    "I5ASTjBUpM8WlSconzh1Sk6kyO4OnqeZCESxhglarMFEIMk3ueGuk/N5166BpO8fSb83q3s/1/cdj9QR3V2VQIuaD9"
    "Hg0ThzBjl6983FQ47e/Y8B5OjdL/7yTJxHvji9xVpgCNaRrvNbgLUEeHPgzYE37xeewJu3G5sd6KK6kYCpCjYIsEEc"
    "ELaFNgh1pDAYIVoJdg+aWA2imtzDRHSzxfQryFrOY1V0dTzBS8KqRZPqYQsEW8JjX+RID4uG4zB44AT9avPpIJz80Z"
    "SP+xKvolLlGFm2R0w/tLy8QdhdoYVHpx6eoyWXEfXOBSGkDFho+XG7m3DaSeneftJ4BzPfYIS4kCx+eNac6I3QPD+n"
    "pVo9Q+eGopdH6FQ+W80C8lA6fpeyoweSBtujzzIpdGe5sC8vKtjTLi8K7WniVsaexoxwsxFbrcKWsCVjRFq2w6QR6y"
    "sHmzViRrDnT/jebsh6BYp0HcVJ91WykHd/h8qvFj8r2v7K4K/0o+1oVd9VycJYNDAWPpkvHKyXRl4pDDa3GlswDZxa"
    "I5ATBPT10acL4poOXnINLdRLVCf54jEoEIeR0B+Jpb0wZCBvHv9CJ4uUTC0Xi56BHjlZnL24eHXx+vzyYu1bsb5S5l"
    "KhcF9xsD03fDzVqjSUloItdoe6WthxBPNoBJ6WF0tWDhaUGs4sMYaMmB5RLCsV4N+IwgjUWNKpxyH0leeakmwCKakO"
    "WQYvcLsjGJrPn7HBzfAIZiqLc/GMVwrDnN9lztfzosvJQ8mivTvIpUw4+kOaFYcR3fuIgqPrMY46pAU5xlEHd1xwx+"
    "05vOBCCi6kB4Pt9jQWe/TN+0gDZ1Tknydvjrf66BnCslLRUe/OJcjnWnWY9WCJ2TrzgagswvsZy8wIyxlFS4/6RPjO"
    "LWer72W6X5csCZO+dOIv4RUmMiZQl+Q99Fp8jqZrXtLXtSGPOfBs659nm/gVSt/vEtZ0IwLOWPUswZ5JdE0FaSmg7O"
    "pUdddlS4Ei3QVvrq3NqGc88Z+rYxfIiA1iiWnbJhBhphnbmxQC7VeJqK6XckYMlg1ITgDsXRX2bo/JCfq2WbTCL3Ud"
    "4dlTUA82z+SV72NzNi8KS9zcHZfxHjLFHF43rhylKNywEV/NsKzEKusa8b9EoSP6iGyfIZPOZYffy78mK58whD1RYR"
    "U9bL7c21BzfFBFJrbxCE3KI5GADxiPwTIeEHjW5WEufB1D1HKgFyuBWblBgJ/WAs9evqygBvJWhXqgvJfhluzfFTgX"
    "OlbHzYdUSakxp2o2w2cvL3Vm7UZigPO1+VBJ0PRA0+tU0zscZkWDqYrOxZqIpqUAU8iV1haWUH+8UTgDRnSJ/oQITM"
    "5SlgzKjVfhyLaWG1dsTw2g+nbT00FO1a24pvdkSDDXSYI5SIPYdhpEsf00AOqnqJthYprYo/uVCTHLrI9KzQ9xo7GG"
    "FcKIyL6qha9mJGL/RfZCF206GiO8wJ6PGA3dJ0XsOkMueSYe8kTiQ39G5orKVg10uN3SUGgKSAChqRRnBbs1EPTybD"
    "cuIf4LXR2vbRd7K11nRzllDveUpwL3Okp3sOaK/n714fr2/dWHf6ptANeK9AjX/7y/uVKdsnXWL9XbkR+3O5fcU/6f"
    "qrtyqqtDfCG278zZJaGCCXun7eHtjJhPYlm89clctTWkG2zfFsy4vWFzgcoGajbHjoOYTxZhTlvRl8rKXNiuvqmYT3"
    "5bfhEwFA/LUCziMHQMxXH7Qdh+ujYU28ywqKuwXW5LmBlLQapMjVSZ6zUrB/ePDsUF8zsplEH7UUgNa5b/cPfp+t0N"
    "+uXDzdvbj7dRzqi1tUzeTKP84ebqHRg4wcAJ6QeOctTBzAWGmX2rf1sNM/vhEGPDjUo93Nh0timGkftvNY3wI51zPY"
    "5jihi2LYQnYWUT0ROarDZl66nHry6Ix6gb+hXzxlH8NP8UeR6TZ940r0229AxwWgZdNE+DQTjanhTTOX+F+Husg3pC"
    "BLiAGpATy659fk7JQga+vR+Lw0NIzcFMC8No7n00gdA4xlEHj23wiO0xnOARC8RLu5A26xELXobgZQhehimGUC4PCn"
    "owXjbKucHKXiIm/6JhjoGo5vEVilQMmWjgiZAFk2ycR5dhbeOHjQrygBhRsICN9arg/f61yVXqBvMJv/jvMiqw/SLH"
    "ySckKoQ24QGTeRLmXUxd8QMSy0D0SCA3h0VuRnM7B39h2PpGAALXFd4dvu2rKm6WeC7FAkBX1qArk19TA/SMGHDzgy"
    "1rbbsT+qWtJbnt1JILz6ae7a90UE7KdIjznFh2MO8G6OazYYBPXic+eVZQs2LXRhAMEXunpG1XVAcXZ0xWbzTzHcCo"
    "7n1UuUr3bNOAGTsPb0lPMM57H2cxOFxRrWNXUogCg5/e4R5JxHBW1KbX7btTpk/bOqM1rEk/YtuRJJpP5gtfoWkUg5"
    "qXBHiz8HrE91b1FvikKKzoe1/RHx08ndZ1DEkLw2j2YjRrFJfOiAGjVatmCjUi200e+tJYyKwoBERqBERK8PRnfEYM"
    "Znwd9hwcRIezc2DPnNnPdYczIw3juffxBIffYxx1iGA+xlFXutxU9vdWCQMz96ca4RouyypZwDeNb9I9rSquSRlwrS"
    "9IYDJZ1ZmyammYtKUO911Xp+/pxG2gPH3JRG4A32E7iqtf3SoplFPngAZwHnqUg+rcpIMzTGcdlPscAPEDWRAOo2uu"
    "RgWhEIkW460JU6y4sU2qBki4iFhT8gY9iA4e0BKLqIVH6omABdEZM8TEkfd8iiYEieR7ipCI+v0ogyDiGLSMcC4YAn"
    "z7++fbDwTSMVIJoIg1rIhllj5NaNXSADLE5YNi27uzqp5iC/H5jcfnZ4+ZgO4WdNXbS58yUMo14yePBouRQrVK3B2X"
    "qVXhmzkVDStqVLJnFhaPEbXqFw52uRqKYv0GYddCbCZuYTQnc+qtvkcP8jnsQUqILJGO/UxEKDkb8/+a8toKLQm/61"
    "BsESuvgXX4XM10ldSbYtf+HQuEIG3l0LU/3XyVOyWq7Ony2V00rBNMdcCO2wPYEPR9QMgDo3SMjBK4JB3jqCtOi1XP"
    "cQpRYGjKGZokZA1ovXeZ7g4T4q3ar2Ki9U71/VmqeKMi3Te6Pd6u/M43LTVqMCw92/eJiyy6dKUdUFRQXU2otUrkTX"
    "vDP5hCYY3Sp4d1E1zqKyyMzXatqcImCTqbGaLjBtXYkoxroCgPVlEurE1brEoUV6YFDa6KHuHjqSKg+68f794XmXqm"
    "qjBuyzZ99B9ZGnpQupsAohzzLLyZWS86UFR5jJdLjcjGhBQENWoENTIaeKpMECWU0FoCmAmoW3LMmiewTMc46lG9rF"
    "oBUHlRiHTIBdkLiOoEP+UkAVsIfQLvpf6xYXreS4n3ugFsBx7DkFsDq4SJJHalBhAeejBOfg/vVZSI9FEq5nKTt8cV"
    "HZkaZXRDtlWUtMVI9q7P3Kq7qMXQhr+vU542+Uhga4GtBbZ2BGwtsLXA1gJb27sVBdjaWkPRS94O2NpjHHVga4GtPU"
    "xs89qiHmeblATmtgJzGyLWFH+7jhU7THwrkrjJSQZULlC5hwhxb6nc/wkIi357jsdd3xuXkbjhT/scta1cA5kr7tZX"
    "DMVyIgHPgtCFI9L10AVxH8boAbtMhHla/LNI2iNqFlscXffhBN3PCApvI5sh/hDK/0T8m3grQdqKsNGQUVZVSu702T"
    "t49YoqkQQ43EFzuOHroxugmpYCJrdO/B6Q591D7nnEKY6iKkM+KwlUoz7+fNd4JBxISzDjrkscnSFQCsMo6I+CRxbO"
    "ytA1JKWldjIn7coLTgLb8W2XnYjn7WO7bcXKFAKsb/3IysErUa+AugL08vrpHR99RkIzaGuyt109PVRXtE6YawmY0D"
    "Xqp0XaY836Q2lpMOzt3cQDhr1jHPVaFj0w5RWb8uJ1rV4djwJxQBlCMCAEo3+mD80QDLAnVbInaZbnyCyZDQA8cJOo"
    "eo/plc3uzpWvFv+5H0Mr0EhhvMs3Gm8PxaBrIYPFBqZxFXvenUsQx/aZeEyStAhPaOBv8t48cGn7mQjDmknnC1kt9w"
    "FNVtJYJue0vOM+2t48uoPRgvdG3bwBr+2H7WCxS2R4A0PdsAx10QthPJGVDo+SEeuQr9qHGtcWORgouPJydjBQ8eRt"
    "wh0uOodKEEYZybRMEkkZMEg0bpCwPPzoG1OKFWa64kFJS0HYUX38gfM7Rs4PEvwe46gDZwacWR/oh+2c2X4oh3s8HS"
    "lIBnF5XF4BdFrZI3hJPQsJP1uRJZc6NPDCwjGilg+TmRhclExyjEzsqf17d+hJWfgzm5BaVqyAqp/9WHXGJTo71H3Z"
    "e92XEi19SHVf0vr52cuXFRR03qpQQ5f3st6zDlUQ+MUArwU6ZEG+I+L/3bAgVUiQYg4kR4FAKR0opQM6F2jaMOpQSq"
    "dfiy6U0oFSOmll/IovNlN3TuRPUKnliQbjLQq6gddtK+vqXCysayNUapUKnm+g1Kzjwsa8eU6hThnZxffkIwFG9WEp"
    "6HDyO8YzQPQya7x0GwnY8XMZKdelzqujuRYBOMsPUPEGtePB6T7q5jAh3XpgSkyo7Z6+PlbQhDUQnQ4a0GkPD55vA+"
    "bT+Y+5A5Ti9pZDJ58upmwdva4caNu1tRLISMHQrpM15/CtiImkLsLfc23zYXROQg9Rpjqw7tpdJcNR+GOFKyBYj/qx"
    "9JcdTjejlRuBYtI9JQSmjWqmDf7T9ZJRrAUGgXDXfHsCZe2ZHUt1aFPy+TToxqLUvF9tYBvPNrMntmP7WutITrBLV2"
    "ZniVfsUCF/xo5thdydR6bki866opIFi57+CgO21P1lF/oc2B5RnBpLqyUkxaBcgka5hOhrG3zlCBTbaYmjflYQfPXB"
    "Vx94ZPAggFEHD4L+EODgQTBAD4IEUxtGVJSzueuoi235A3LEbmU2Nyy3uJxRFnOsM/xMEA55WRVhW0FCycmmQ1GAiO"
    "3JEjQGLwHY5yEmr01PgVBcD9CkDAAKQY7dJwZ7jOfljqhmrNMDxTb5vvb0xPl3SXiVnzj/HpNiOk4EkknTcGFlT18x"
    "JIXCOt+yl+/5B7lDu1Pk0SWaE+wyafqPxlTt7bpDX6WOsXBI7dPiX3ZI1SaAgfgF4hdUAyB+YdQrjjroL+A63jc4wX"
    "W8S9dx0AV1oO2rLvgrmcwofRopVMD41ni7rWEZNq2q70k3bhE3iLCPljPbnCHsUqFwIbZiPpkjnzgOi7MIS/9uf8aH"
    "4XupsDHCD4u+qPdJXNNbLfhkUSiCLT1kh4TEUDl0sArnHn3seroiduZkR1wBhK6PXUKqQxe7+IU4WA+7cFXUmeIbCf"
    "AgrZHHix+lsB94xJgRbKlqRpTk9FLIDmEMukjvBUzWEXIawGQd46hDYTkoedY7QMGzYRuoUPKspyXP9spj/YJXDsVK"
    "H9pMi3FlVstYhCI65bew40T5C1DUC/KISexnFVVVSWIH3in+HeFfca9AQw2PhlpsJndVz4eECPg+1Pd9CFVsrZJNCR"
    "FAvj7yjAaeSQx7ocVKJYWGQIp0TUyJ9VIcBdSJK4qBz8oB9nXCyjc7eH6n3UZUZKSBqTgYpgI064apivTBuCqkaSkA"
    "FeiK7umK5cY3Y0dcE14eA0U2/b72yfnm45PtOCMFVxHeGJdRFHPsPRF/4WB+jGWieXXnG37+8lYiNEL4uSSjo79iyO"
    "SqpUOnAVF61FSXrFa7KzyFB54DURU9WcnHJewCVPCCrF1HgDxfyMiUelqV5ZMygHkNldZW+WcX4x23B6xr+BTJXVef"
    "LQO8d8FbnnJymJd4b6WkBrGFZhy3Tk9Pq3hu8WbFrlvyZhruOfGxOMLoUPFJmZ24+F2psElgO77tshPx2H0cDyEwFO"
    "hKcKeDUYeMgP3RyUvYVcgIOMCMgJL9+4V3NSqiBuXNcRk9KClBY8HbVU7C4hE+92yfa7GhI1LIKiLsEX4LW+jRo3NV"
    "wpXKcsAJAicInCBwggeIPOjwnerwE4+fU2Y6UG8kOqzNMuewtLVcdxDlBkwJMCWgM/dAZwam5BhHHZgSYEqAKdmJKb"
    "l5JvKr51iS8Ma4jCEhokn1Crf8PrJd6fi0wMxHPnFFSzeYT4hHLLS0+TQJRPjWjDq8DfEyhWtdC5kzDjVvO1mhGWYz"
    "ZenbNp7zm/ube2uFlMzC4ffC7Lhs3dljOP3RE1mxMWI0JHLEd3DoFPEWjv0smourth8nTprwGyfoQRwHH0SiJN7+N9"
    "fELnVtEztInG+QqBcZ9rbETH4bYp2gK/G9mXQbEwMnhB1Kn/hXDhb8t/Kh8RDzqfi9M/6rq7FH0fxk5HOOOSoMjZON"
    "x/WD4MR6nug6kUCt4Z6TgZcNd63AEDJVDZawg1NHqyEF4t3MQXptT2/dwvxInxVA2pWCyPsGIf++/J9vvzs7Oz9/dX"
    "Z6fvn65cWrVy9fn77mbeU3zt96VYL79e1PIgVV6hiez0n1xH+tDlUUtx8gH/ddlQK+3xUX8P0uV8CXH0eoZ+hCnJYa"
    "INDNV0oOIdNMQ5OQgTQ0Kjx1zVNpKbCU1LCUBB7XYbSK2SdEYKmosFTsMQ70cCb3IaReHySakE+tYY0imPwfMXURTU"
    "sBplnLJ2N8zumcDBIicCyo4bqitDOX+KyobcxtWvP/+HMfpql2EoTwn83US0bxMSwtNYRJnnNWqearUuaqkj2LLTzy"
    "bAhaWwfplNAAj7yXFxWAvrwoxFncyqTX0kQYwNUAF5xOjsX9IGcf34/Z9m9k4V+5bCmteDnbbeLuuMyA+8TbGVg2rG"
    "jGvZ8RFAogn4pEm57tk9A6aQozpDCH8gbo4dYi8wX1iWuuvv0bWT2MkXiYMJNyKQuv8pbbZrtW2jqTbN8TWZUbOcGC"
    "N1gL3h6Z4r7tjM1og+Jl0jhbRM0HeLRoxcs4Vit0j3BZuQHi3fxRjvnYDxRZaIvNz2uBWhbovil8oQH67MXFq4vX55"
    "cXa7vz+kqZuTlvWsbrY0hlA9JaYggKdOepd0ATAU2kS03kByI8G73VSKGHrO+VaiFW2MomlV1JIyYZ8Rli+wwt8eoN"
    "elhi2+eDytWBB0ZcS3xEAZ9mQitwCBY9iRs+b8A1hYdHbDvEepBqw5RSVf3L9p6jWYpAbDHydYv9QSwuvKNeUuYdGT"
    "+uIRWoRUdM0K76p1116sDXs+0e/PcGpxCArwj4ivQXzaKipsX61Y6lTPv2+netYIlwHB244/YAdmM+D8Wx9RBXH+NT"
    "PhR1igTFSkFln9RYoEMHlEg3awvz1j3YfZ/MF74O+5gU6S4C5rTd43Nj7GOkJ+ePGtuYsI0gsGC9ZsGSoy3ZF8uYaN"
    "miUkJDYJzb1ociwALXtxWpnLa+WVnxBt6vng3A4b03mPkG8TyqpUekpYbw5nQe6CN40FrbU0IS3p+9vz9gczvGUYco"
    "nWaZrN6kVRgMujkLcV9yOfUT4eZSOeWWiQYgvor7GSa2yZWxT/mxrohnm7ORwrkhujMuc23Amzbb3BqKEd3uLKBlBS"
    "+kkpQLp4JEioZvN+t3713Yiu3bz8RjymWzmGRIiAzCDtCB06t4qTQQjpoPEN0XlYLuXpQE3b3IB91FReR1bCsJke7N"
    "K/s5XzVmSNmrr96f/w8uOtwK"
)
