from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS "gateway_identity" (
            "name" VARCHAR(16) NOT NULL PRIMARY KEY,
            "private_key" TEXT NOT NULL,
            "device_id" VARCHAR(64) NOT NULL,
            "created_at" TIMESTAMP NOT NULL
        );
        CREATE TABLE IF NOT EXISTS "gateways" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "name" TEXT NOT NULL,
            "url" TEXT NOT NULL,
            "workspace_root" TEXT NOT NULL,
            "token" TEXT,
            "allow_insecure_tls" INT NOT NULL,
            "disable_device_pairing" INT NOT NULL,
            "state" VARCHAR(16) NOT NULL,
            "state_code" VARCHAR(64),
            "last_error" TEXT,
            "state_at" TIMESTAMP NOT NULL,
            "device_token" TEXT,
            "pairing_request_id" TEXT,
            "pairing_device_id" TEXT,
            "version" TEXT,
            "protocol" INT,
            "role" TEXT,
            "scopes" JSON,
            "methods" JSON,
            "events" JSON,
            "capabilities" JSON,
            "boot_id" TEXT,
            "holder" VARCHAR(64),
            "held_until" TIMESTAMP,
            "connected_at" TIMESTAMP,
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            CONSTRAINT "ck_gateways_state" CHECK ("state" IN ('connecting', 'connected', 'pairing', 'unreachable', 'refused'))
        );
        CREATE INDEX IF NOT EXISTS "idx_gateways_organiz_26d044" ON "gateways" ("organization_id", "created_at");
        CREATE TABLE IF NOT EXISTS "gateway_calls" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "caller" VARCHAR(64) NOT NULL,
            "method" VARCHAR(128) NOT NULL,
            "params" TEXT NOT NULL,
            "state" VARCHAR(16) NOT NULL,
            "result" TEXT,
            "error" JSON,
            "due_by" TIMESTAMP NOT NULL,
            "created_at" TIMESTAMP NOT NULL,
            "gateway_id" CHAR(36) NOT NULL REFERENCES "gateways" ("id") ON DELETE CASCADE,
            CONSTRAINT "ck_gateway_calls_state" CHECK ("state" IN ('waiting', 'taken', 'done', 'failed'))
        );
        CREATE INDEX IF NOT EXISTS "idx_gateway_cal_gateway_c8e940" ON "gateway_calls" ("gateway_id", "state", "created_at");
        CREATE TABLE IF NOT EXISTS "gateway_session_usage" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "session_key" TEXT NOT NULL,
            "session_id" TEXT NOT NULL,
            "input_tokens" BIGINT NOT NULL,
            "output_tokens" BIGINT NOT NULL,
            "cost_micros" BIGINT NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "gateway_id" CHAR(36) NOT NULL REFERENCES "gateways" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_gateway_ses_gateway_36c341" UNIQUE ("gateway_id", "session_key", "session_id")
        );
        CREATE TABLE IF NOT EXISTS "gateway_installed_skills" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "is_wanted" INT NOT NULL,
            "delivery_id" CHAR(36),
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "gateway_id" CHAR(36) NOT NULL REFERENCES "gateways" ("id") ON DELETE CASCADE,
            "skill_id" CHAR(36) NOT NULL REFERENCES "marketplace_skills" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_gateway_ins_gateway_2258f8" UNIQUE ("gateway_id", "skill_id")
        );
        CREATE TABLE IF NOT EXISTS "provisioning_jobs" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "agent_id" CHAR(36),
            "sync_id" CHAR(36),
            "action" VARCHAR(16) NOT NULL,
            "options" JSON NOT NULL,
            "target" JSON NOT NULL,
            "steps" JSON NOT NULL,
            "state" VARCHAR(16) NOT NULL,
            "attempts" INT NOT NULL,
            "due_at" TIMESTAMP NOT NULL,
            "leased_by" VARCHAR(64),
            "leased_until" TIMESTAMP,
            "last_error" TEXT,
            "awaits_check_in" INT NOT NULL,
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "finished_at" TIMESTAMP,
            "gateway_id" CHAR(36) NOT NULL REFERENCES "gateways" ("id") ON DELETE CASCADE,
            "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            CONSTRAINT "ck_provisioning_jobs_state" CHECK ("state" IN ('waiting', 'running', 'done', 'failed'))
        );
        CREATE INDEX IF NOT EXISTS "idx_provisionin_state_a46adc" ON "provisioning_jobs" ("state", "due_at");
        CREATE INDEX IF NOT EXISTS "idx_provisionin_agent_i_afa297" ON "provisioning_jobs" ("agent_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_provisionin_gateway_2c19d9" ON "provisioning_jobs" ("gateway_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_provisionin_sync_id_4817fc" ON "provisioning_jobs" ("sync_id");
        CREATE TABLE IF NOT EXISTS "gateway_agent_usage" (
            "agent_id" CHAR(36) NOT NULL PRIMARY KEY REFERENCES "agents" ("id") ON DELETE CASCADE,
            "measured_input" BIGINT NOT NULL,
            "measured_output" BIGINT NOT NULL,
            "measured_micros" BIGINT NOT NULL,
            "reported_input" BIGINT NOT NULL,
            "reported_output" BIGINT NOT NULL,
            "reported_micros" BIGINT NOT NULL
        );
        ALTER TABLE "usage_entries" ADD "source" VARCHAR(16) NOT NULL DEFAULT 'agent';
        ALTER TABLE "agents" ADD "wake_attempts" INT NOT NULL DEFAULT 0;
        ALTER TABLE "agents" ADD "gateway_agent_id" TEXT;
        ALTER TABLE "agents" ADD "workspace_path" TEXT;
        ALTER TABLE "agents" ADD "last_wake_sent_at" TIMESTAMP;
        ALTER TABLE "agents" ADD "checkin_deadline_at" TIMESTAMP;
        ALTER TABLE "agents" ADD "is_adopted" INT NOT NULL DEFAULT 0;
        ALTER TABLE "agents" ADD "last_provision_error" TEXT;
        ALTER TABLE "agents" ADD "workspace_token" TEXT;
        ALTER TABLE "approvals" ADD "external_id" TEXT;
        ALTER TABLE "approvals" ADD "gateway_id" CHAR(36);
        ALTER TABLE "approvals" ADD "expires_at" TIMESTAMP;
        ALTER TABLE "approvals" ADD "resolved_by_name" TEXT;
        ALTER TABLE "approvals" ADD "answer" VARCHAR(16);
        ALTER TABLE "approvals" ADD "answer_state" VARCHAR(16);
        ALTER TABLE "agent_questions" ADD "external_id" TEXT;
        ALTER TABLE "agent_questions" ADD "gateway_id" CHAR(36);
        ALTER TABLE "agent_questions" ADD "expires_at" TIMESTAMP;
        ALTER TABLE "agent_questions" ADD "answered_by_name" TEXT;
        ALTER TABLE "agent_questions" ADD "answer_state" VARCHAR(16);
        ALTER TABLE "board_onboarding_sessions" ADD "delivery_id" CHAR(36);
        ALTER TABLE "board_onboarding_sessions" ADD "silent_at" TIMESTAMP;
        ALTER TABLE "board_onboarding_sessions" ADD "cancelled_at" TIMESTAMP;
        CREATE INDEX IF NOT EXISTS "idx_provisioning_jobs_organization" ON "provisioning_jobs" ("organization_id");
        CREATE INDEX IF NOT EXISTS "idx_gateway_installed_skills_skill" ON "gateway_installed_skills" ("skill_id");
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_provisioning_jobs_open" ON "provisioning_jobs" ("agent_id") WHERE "state" IN ('waiting', 'running') AND "action" NOT IN ('remove', 'unlink', 'sync');
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_agents_gateway_main" ON "agents" ("gateway_id") WHERE "board_id" IS NULL AND "gateway_id" IS NOT NULL;
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_agents_gateway_agent" ON "agents" ("gateway_id", "gateway_agent_id") WHERE "gateway_agent_id" IS NOT NULL;
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_approvals_external" ON "approvals" ("gateway_id", "external_id") WHERE "external_id" IS NOT NULL;
        CREATE INDEX IF NOT EXISTS "idx_approvals_unanswered" ON "approvals" ("gateway_id") WHERE "gateway_id" IS NOT NULL AND ("status" = 'pending' OR "answer_state" = 'waiting');
        CREATE INDEX IF NOT EXISTS "idx_agent_questions_unanswered" ON "agent_questions" ("gateway_id") WHERE "gateway_id" IS NOT NULL AND ("state" = 'open' OR "answer_state" = 'waiting');
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_agent_questions_external" ON "agent_questions" ("gateway_id", "external_id") WHERE "external_id" IS NOT NULL;
        CREATE INDEX IF NOT EXISTS "idx_board_onboarding_waiting" ON "board_onboarding_sessions" ("delivery_id") WHERE "delivery_id" IS NOT NULL;
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_board_onboarding_active" ON "board_onboarding_sessions" ("board_id") WHERE "status" = 'active' AND "cancelled_at" IS NULL;
    """,
    "postgres": """
        CREATE TABLE IF NOT EXISTS "gateway_identity" (
            "name" VARCHAR(16) NOT NULL PRIMARY KEY,
            "private_key" TEXT NOT NULL,
            "device_id" VARCHAR(64) NOT NULL,
            "created_at" TIMESTAMP NOT NULL
        );
        CREATE TABLE IF NOT EXISTS "gateways" (
            "id" UUID NOT NULL PRIMARY KEY,
            "name" TEXT NOT NULL,
            "url" TEXT NOT NULL,
            "workspace_root" TEXT NOT NULL,
            "token" TEXT,
            "allow_insecure_tls" BOOL NOT NULL,
            "disable_device_pairing" BOOL NOT NULL,
            "state" VARCHAR(16) NOT NULL,
            "state_code" VARCHAR(64),
            "last_error" TEXT,
            "state_at" TIMESTAMP NOT NULL,
            "device_token" TEXT,
            "pairing_request_id" TEXT,
            "pairing_device_id" TEXT,
            "version" TEXT,
            "protocol" INT,
            "role" TEXT,
            "scopes" JSONB,
            "methods" JSONB,
            "events" JSONB,
            "capabilities" JSONB,
            "boot_id" TEXT,
            "holder" VARCHAR(64),
            "held_until" TIMESTAMP,
            "connected_at" TIMESTAMP,
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            CONSTRAINT "ck_gateways_state" CHECK ("state" IN ('connecting', 'connected', 'pairing', 'unreachable', 'refused'))
        );
        CREATE INDEX IF NOT EXISTS "idx_gateways_organiz_26d044" ON "gateways" ("organization_id", "created_at");
        CREATE TABLE IF NOT EXISTS "gateway_calls" (
            "id" UUID NOT NULL PRIMARY KEY,
            "caller" VARCHAR(64) NOT NULL,
            "method" VARCHAR(128) NOT NULL,
            "params" TEXT NOT NULL,
            "state" VARCHAR(16) NOT NULL,
            "result" TEXT,
            "error" JSONB,
            "due_by" TIMESTAMP NOT NULL,
            "created_at" TIMESTAMP NOT NULL,
            "gateway_id" UUID NOT NULL REFERENCES "gateways" ("id") ON DELETE CASCADE,
            CONSTRAINT "ck_gateway_calls_state" CHECK ("state" IN ('waiting', 'taken', 'done', 'failed'))
        );
        CREATE INDEX IF NOT EXISTS "idx_gateway_cal_gateway_c8e940" ON "gateway_calls" ("gateway_id", "state", "created_at");
        CREATE TABLE IF NOT EXISTS "gateway_session_usage" (
            "id" UUID NOT NULL PRIMARY KEY,
            "session_key" TEXT NOT NULL,
            "session_id" TEXT NOT NULL,
            "input_tokens" BIGINT NOT NULL,
            "output_tokens" BIGINT NOT NULL,
            "cost_micros" BIGINT NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "gateway_id" UUID NOT NULL REFERENCES "gateways" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_gateway_ses_gateway_36c341" UNIQUE ("gateway_id", "session_key", "session_id")
        );
        CREATE TABLE IF NOT EXISTS "gateway_installed_skills" (
            "id" UUID NOT NULL PRIMARY KEY,
            "is_wanted" BOOL NOT NULL,
            "delivery_id" UUID,
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "gateway_id" UUID NOT NULL REFERENCES "gateways" ("id") ON DELETE CASCADE,
            "skill_id" UUID NOT NULL REFERENCES "marketplace_skills" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_gateway_ins_gateway_2258f8" UNIQUE ("gateway_id", "skill_id")
        );
        CREATE TABLE IF NOT EXISTS "provisioning_jobs" (
            "id" UUID NOT NULL PRIMARY KEY,
            "agent_id" UUID,
            "sync_id" UUID,
            "action" VARCHAR(16) NOT NULL,
            "options" JSONB NOT NULL,
            "target" JSONB NOT NULL,
            "steps" JSONB NOT NULL,
            "state" VARCHAR(16) NOT NULL,
            "attempts" INT NOT NULL,
            "due_at" TIMESTAMP NOT NULL,
            "leased_by" VARCHAR(64),
            "leased_until" TIMESTAMP,
            "last_error" TEXT,
            "awaits_check_in" BOOL NOT NULL,
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "finished_at" TIMESTAMP,
            "gateway_id" UUID NOT NULL REFERENCES "gateways" ("id") ON DELETE CASCADE,
            "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            CONSTRAINT "ck_provisioning_jobs_state" CHECK ("state" IN ('waiting', 'running', 'done', 'failed'))
        );
        CREATE INDEX IF NOT EXISTS "idx_provisionin_state_a46adc" ON "provisioning_jobs" ("state", "due_at");
        CREATE INDEX IF NOT EXISTS "idx_provisionin_agent_i_afa297" ON "provisioning_jobs" ("agent_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_provisionin_gateway_2c19d9" ON "provisioning_jobs" ("gateway_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_provisionin_sync_id_4817fc" ON "provisioning_jobs" ("sync_id");
        CREATE TABLE IF NOT EXISTS "gateway_agent_usage" (
            "agent_id" UUID NOT NULL PRIMARY KEY REFERENCES "agents" ("id") ON DELETE CASCADE,
            "measured_input" BIGINT NOT NULL,
            "measured_output" BIGINT NOT NULL,
            "measured_micros" BIGINT NOT NULL,
            "reported_input" BIGINT NOT NULL,
            "reported_output" BIGINT NOT NULL,
            "reported_micros" BIGINT NOT NULL
        );
        ALTER TABLE "usage_entries" ADD "source" VARCHAR(16) NOT NULL DEFAULT 'agent';
        ALTER TABLE "agents" ADD "wake_attempts" INT NOT NULL DEFAULT 0;
        ALTER TABLE "agents" ADD "gateway_agent_id" TEXT;
        ALTER TABLE "agents" ADD "workspace_path" TEXT;
        ALTER TABLE "agents" ADD "last_wake_sent_at" TIMESTAMP;
        ALTER TABLE "agents" ADD "checkin_deadline_at" TIMESTAMP;
        ALTER TABLE "agents" ADD "is_adopted" BOOL NOT NULL DEFAULT False;
        ALTER TABLE "agents" ADD "last_provision_error" TEXT;
        ALTER TABLE "agents" ADD "workspace_token" TEXT;
        ALTER TABLE "approvals" ADD "external_id" TEXT;
        ALTER TABLE "approvals" ADD "gateway_id" UUID;
        ALTER TABLE "approvals" ADD "expires_at" TIMESTAMP;
        ALTER TABLE "approvals" ADD "resolved_by_name" TEXT;
        ALTER TABLE "approvals" ADD "answer" VARCHAR(16);
        ALTER TABLE "approvals" ADD "answer_state" VARCHAR(16);
        ALTER TABLE "agent_questions" ADD "external_id" TEXT;
        ALTER TABLE "agent_questions" ADD "gateway_id" UUID;
        ALTER TABLE "agent_questions" ADD "expires_at" TIMESTAMP;
        ALTER TABLE "agent_questions" ADD "answered_by_name" TEXT;
        ALTER TABLE "agent_questions" ADD "answer_state" VARCHAR(16);
        ALTER TABLE "board_onboarding_sessions" ADD "delivery_id" UUID;
        ALTER TABLE "board_onboarding_sessions" ADD "silent_at" TIMESTAMP;
        ALTER TABLE "board_onboarding_sessions" ADD "cancelled_at" TIMESTAMP;
        CREATE INDEX IF NOT EXISTS "idx_provisioning_jobs_organization" ON "provisioning_jobs" ("organization_id");
        CREATE INDEX IF NOT EXISTS "idx_gateway_installed_skills_skill" ON "gateway_installed_skills" ("skill_id");
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_provisioning_jobs_open" ON "provisioning_jobs" ("agent_id") WHERE "state" IN ('waiting', 'running') AND "action" NOT IN ('remove', 'unlink', 'sync');
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_agents_gateway_main" ON "agents" ("gateway_id") WHERE "board_id" IS NULL AND "gateway_id" IS NOT NULL;
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_agents_gateway_agent" ON "agents" ("gateway_id", "gateway_agent_id") WHERE "gateway_agent_id" IS NOT NULL;
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_approvals_external" ON "approvals" ("gateway_id", "external_id") WHERE "external_id" IS NOT NULL;
        CREATE INDEX IF NOT EXISTS "idx_approvals_unanswered" ON "approvals" ("gateway_id") WHERE "gateway_id" IS NOT NULL AND ("status" = 'pending' OR "answer_state" = 'waiting');
        CREATE INDEX IF NOT EXISTS "idx_agent_questions_unanswered" ON "agent_questions" ("gateway_id") WHERE "gateway_id" IS NOT NULL AND ("state" = 'open' OR "answer_state" = 'waiting');
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_agent_questions_external" ON "agent_questions" ("gateway_id", "external_id") WHERE "external_id" IS NOT NULL;
        CREATE INDEX IF NOT EXISTS "idx_board_onboarding_waiting" ON "board_onboarding_sessions" ("delivery_id") WHERE "delivery_id" IS NOT NULL;
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_board_onboarding_active" ON "board_onboarding_sessions" ("board_id") WHERE "status" = 'active' AND "cancelled_at" IS NULL;
    """,
}

DOWN = {
    "sqlite": """
        DROP INDEX IF EXISTS "uid_agents_gateway_main";
        DROP INDEX IF EXISTS "uid_agents_gateway_agent";
        DROP INDEX IF EXISTS "uid_approvals_external";
        DROP INDEX IF EXISTS "uid_agent_questions_external";
        DROP INDEX IF EXISTS "idx_approvals_unanswered";
        DROP INDEX IF EXISTS "idx_agent_questions_unanswered";
        DROP INDEX IF EXISTS "uid_board_onboarding_active";
        DROP INDEX IF EXISTS "idx_board_onboarding_waiting";
        ALTER TABLE "agents" DROP COLUMN "wake_attempts";
        ALTER TABLE "agents" DROP COLUMN "gateway_agent_id";
        ALTER TABLE "agents" DROP COLUMN "workspace_path";
        ALTER TABLE "agents" DROP COLUMN "last_wake_sent_at";
        ALTER TABLE "agents" DROP COLUMN "checkin_deadline_at";
        ALTER TABLE "agents" DROP COLUMN "is_adopted";
        ALTER TABLE "agents" DROP COLUMN "last_provision_error";
        ALTER TABLE "agents" DROP COLUMN "workspace_token";
        ALTER TABLE "approvals" DROP COLUMN "external_id";
        ALTER TABLE "approvals" DROP COLUMN "gateway_id";
        ALTER TABLE "approvals" DROP COLUMN "expires_at";
        ALTER TABLE "approvals" DROP COLUMN "resolved_by_name";
        ALTER TABLE "approvals" DROP COLUMN "answer";
        ALTER TABLE "approvals" DROP COLUMN "answer_state";
        ALTER TABLE "agent_questions" DROP COLUMN "external_id";
        ALTER TABLE "agent_questions" DROP COLUMN "gateway_id";
        ALTER TABLE "agent_questions" DROP COLUMN "expires_at";
        ALTER TABLE "agent_questions" DROP COLUMN "answered_by_name";
        ALTER TABLE "agent_questions" DROP COLUMN "answer_state";
        ALTER TABLE "board_onboarding_sessions" DROP COLUMN "delivery_id";
        ALTER TABLE "board_onboarding_sessions" DROP COLUMN "silent_at";
        ALTER TABLE "board_onboarding_sessions" DROP COLUMN "cancelled_at";
        DROP TABLE IF EXISTS "provisioning_jobs";
        DROP TABLE IF EXISTS "gateway_installed_skills";
        DROP TABLE IF EXISTS "gateway_session_usage";
        DROP TABLE IF EXISTS "gateway_agent_usage";
        ALTER TABLE "usage_entries" DROP COLUMN "source";
        DROP TABLE IF EXISTS "gateway_calls";
        DROP TABLE IF EXISTS "gateways";
        DROP TABLE IF EXISTS "gateway_identity";
    """,
    "postgres": """
        DROP INDEX IF EXISTS "uid_agents_gateway_main";
        DROP INDEX IF EXISTS "uid_agents_gateway_agent";
        DROP INDEX IF EXISTS "uid_approvals_external";
        DROP INDEX IF EXISTS "uid_agent_questions_external";
        DROP INDEX IF EXISTS "idx_approvals_unanswered";
        DROP INDEX IF EXISTS "idx_agent_questions_unanswered";
        DROP INDEX IF EXISTS "uid_board_onboarding_active";
        DROP INDEX IF EXISTS "idx_board_onboarding_waiting";
        ALTER TABLE "agents" DROP COLUMN "wake_attempts";
        ALTER TABLE "agents" DROP COLUMN "gateway_agent_id";
        ALTER TABLE "agents" DROP COLUMN "workspace_path";
        ALTER TABLE "agents" DROP COLUMN "last_wake_sent_at";
        ALTER TABLE "agents" DROP COLUMN "checkin_deadline_at";
        ALTER TABLE "agents" DROP COLUMN "is_adopted";
        ALTER TABLE "agents" DROP COLUMN "last_provision_error";
        ALTER TABLE "agents" DROP COLUMN "workspace_token";
        ALTER TABLE "approvals" DROP COLUMN "external_id";
        ALTER TABLE "approvals" DROP COLUMN "gateway_id";
        ALTER TABLE "approvals" DROP COLUMN "expires_at";
        ALTER TABLE "approvals" DROP COLUMN "resolved_by_name";
        ALTER TABLE "approvals" DROP COLUMN "answer";
        ALTER TABLE "approvals" DROP COLUMN "answer_state";
        ALTER TABLE "agent_questions" DROP COLUMN "external_id";
        ALTER TABLE "agent_questions" DROP COLUMN "gateway_id";
        ALTER TABLE "agent_questions" DROP COLUMN "expires_at";
        ALTER TABLE "agent_questions" DROP COLUMN "answered_by_name";
        ALTER TABLE "agent_questions" DROP COLUMN "answer_state";
        ALTER TABLE "board_onboarding_sessions" DROP COLUMN "delivery_id";
        ALTER TABLE "board_onboarding_sessions" DROP COLUMN "silent_at";
        ALTER TABLE "board_onboarding_sessions" DROP COLUMN "cancelled_at";
        DROP TABLE IF EXISTS "provisioning_jobs";
        DROP TABLE IF EXISTS "gateway_installed_skills";
        DROP TABLE IF EXISTS "gateway_session_usage";
        DROP TABLE IF EXISTS "gateway_agent_usage";
        ALTER TABLE "usage_entries" DROP COLUMN "source";
        DROP TABLE IF EXISTS "gateway_calls";
        DROP TABLE IF EXISTS "gateways";
        DROP TABLE IF EXISTS "gateway_identity";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
