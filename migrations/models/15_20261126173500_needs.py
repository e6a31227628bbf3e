from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS "need_snoozes" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "kind" VARCHAR(16) NOT NULL,
            "subject_id" CHAR(36) NOT NULL,
            "until" TIMESTAMP,
            "version" TEXT,
            "created_at" TIMESTAMP NOT NULL,
            "user_id" CHAR(36) NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_need_snooze_user_id_ad0858" UNIQUE ("user_id", "kind", "subject_id")
        ) /* A need that a person put off, by its kind and the id of what it is about. */;
        ALTER TABLE "approvals" ADD "otherwise_user_id" CHAR(36);
        ALTER TABLE "approvals" ADD "reminded_at" TIMESTAMP;
        ALTER TABLE "approvals" ADD "decide_by" TIMESTAMP;
        ALTER TABLE "approvals" ADD "otherwise" VARCHAR(16);
        ALTER TABLE "approvals" ADD "asked_user_id" CHAR(36);
        ALTER TABLE "agent_questions" ADD "otherwise_user_id" CHAR(36);
        ALTER TABLE "agent_questions" ADD "reminded_at" TIMESTAMP;
        ALTER TABLE "agent_questions" ADD "asked_user_id" CHAR(36);
        ALTER TABLE "agent_questions" ADD "otherwise_option_id" VARCHAR(64);
        ALTER TABLE "agent_questions" ADD "otherwise" VARCHAR(16);
        ALTER TABLE "agent_questions" ADD "decide_by" TIMESTAMP;
        CREATE INDEX IF NOT EXISTS "idx_approvals_decide_by" ON "approvals" ("decide_by") WHERE "decide_by" IS NOT NULL;
        CREATE INDEX IF NOT EXISTS "idx_agent_questions_decide_by" ON "agent_questions" ("decide_by") WHERE "decide_by" IS NOT NULL;
        CREATE INDEX IF NOT EXISTS "idx_tasks_flagged" ON "tasks" ("board_id") WHERE "flagged_at" IS NOT NULL;
    """,
    "postgres": """
        CREATE TABLE IF NOT EXISTS "need_snoozes" (
            "id" UUID NOT NULL PRIMARY KEY,
            "kind" VARCHAR(16) NOT NULL,
            "subject_id" UUID NOT NULL,
            "until" TIMESTAMP,
            "version" TEXT,
            "created_at" TIMESTAMP NOT NULL,
            "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_need_snooze_user_id_ad0858" UNIQUE ("user_id", "kind", "subject_id")
        );
        COMMENT ON TABLE "need_snoozes" IS 'A need that a person put off, by its kind and the id of what it is about.';
        ALTER TABLE "approvals" ADD "otherwise_user_id" UUID;
        ALTER TABLE "approvals" ADD "reminded_at" TIMESTAMP;
        ALTER TABLE "approvals" ADD "decide_by" TIMESTAMP;
        ALTER TABLE "approvals" ADD "otherwise" VARCHAR(16);
        ALTER TABLE "approvals" ADD "asked_user_id" UUID;
        ALTER TABLE "agent_questions" ADD "otherwise_user_id" UUID;
        ALTER TABLE "agent_questions" ADD "reminded_at" TIMESTAMP;
        ALTER TABLE "agent_questions" ADD "asked_user_id" UUID;
        ALTER TABLE "agent_questions" ADD "otherwise_option_id" VARCHAR(64);
        ALTER TABLE "agent_questions" ADD "otherwise" VARCHAR(16);
        ALTER TABLE "agent_questions" ADD "decide_by" TIMESTAMP;
        CREATE INDEX IF NOT EXISTS "idx_approvals_decide_by" ON "approvals" ("decide_by") WHERE "decide_by" IS NOT NULL;
        CREATE INDEX IF NOT EXISTS "idx_agent_questions_decide_by" ON "agent_questions" ("decide_by") WHERE "decide_by" IS NOT NULL;
        CREATE INDEX IF NOT EXISTS "idx_tasks_flagged" ON "tasks" ("board_id") WHERE "flagged_at" IS NOT NULL;
    """,
}

DOWN = {
    "sqlite": """
        DROP INDEX IF EXISTS "idx_approvals_decide_by";
        DROP INDEX IF EXISTS "idx_agent_questions_decide_by";
        DROP INDEX IF EXISTS "idx_tasks_flagged";
        ALTER TABLE "approvals" DROP COLUMN "otherwise_user_id";
        ALTER TABLE "approvals" DROP COLUMN "reminded_at";
        ALTER TABLE "approvals" DROP COLUMN "decide_by";
        ALTER TABLE "approvals" DROP COLUMN "otherwise";
        ALTER TABLE "approvals" DROP COLUMN "asked_user_id";
        ALTER TABLE "agent_questions" DROP COLUMN "otherwise_user_id";
        ALTER TABLE "agent_questions" DROP COLUMN "reminded_at";
        ALTER TABLE "agent_questions" DROP COLUMN "asked_user_id";
        ALTER TABLE "agent_questions" DROP COLUMN "otherwise_option_id";
        ALTER TABLE "agent_questions" DROP COLUMN "otherwise";
        ALTER TABLE "agent_questions" DROP COLUMN "decide_by";
        DROP TABLE IF EXISTS "need_snoozes";
    """,
    "postgres": """
        DROP INDEX IF EXISTS "idx_approvals_decide_by";
        DROP INDEX IF EXISTS "idx_agent_questions_decide_by";
        DROP INDEX IF EXISTS "idx_tasks_flagged";
        ALTER TABLE "approvals" DROP COLUMN "otherwise_user_id";
        ALTER TABLE "approvals" DROP COLUMN "reminded_at";
        ALTER TABLE "approvals" DROP COLUMN "decide_by";
        ALTER TABLE "approvals" DROP COLUMN "otherwise";
        ALTER TABLE "approvals" DROP COLUMN "asked_user_id";
        ALTER TABLE "agent_questions" DROP COLUMN "otherwise_user_id";
        ALTER TABLE "agent_questions" DROP COLUMN "reminded_at";
        ALTER TABLE "agent_questions" DROP COLUMN "asked_user_id";
        ALTER TABLE "agent_questions" DROP COLUMN "otherwise_option_id";
        ALTER TABLE "agent_questions" DROP COLUMN "otherwise";
        ALTER TABLE "agent_questions" DROP COLUMN "decide_by";
        DROP TABLE IF EXISTS "need_snoozes";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
