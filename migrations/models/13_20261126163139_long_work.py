from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS "board_imports" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "content" BLOB NOT NULL,
            "preview" JSON NOT NULL,
            "job_id" CHAR(36),
            "created_at" TIMESTAMP NOT NULL,
            "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "user_id" CHAR(36) NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE
        ) /* A board's file that was read and waits for its import, or has been imported: kept for a day. */;
        CREATE INDEX IF NOT EXISTS "idx_board_impor_organiz_0601df" ON "board_imports" ("organization_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_board_impor_user_id_9ce479" ON "board_imports" ("user_id");
        CREATE TABLE IF NOT EXISTS "jobs" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "kind" VARCHAR(32) NOT NULL,
            "title" TEXT NOT NULL,
            "state" VARCHAR(16) NOT NULL,
            "step" TEXT NOT NULL,
            "done" INT NOT NULL,
            "total" INT,
            "result" JSON,
            "error" TEXT,
            "runner" VARCHAR(64),
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "finished_at" TIMESTAMP,
            "read_at" TIMESTAMP,
            "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL,
            CONSTRAINT "ck_jobs_state" CHECK ("state" IN ('running', 'done', 'failed', 'interrupted'))
        ) /* One piece of long work: `running`, `done`, `failed` or `interrupted`. */;
        CREATE INDEX IF NOT EXISTS "idx_jobs_organiz_c47a7c" ON "jobs" ("organization_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_jobs_user_id_269828" ON "jobs" ("user_id", "read_at");
        CREATE INDEX IF NOT EXISTS "idx_jobs_state_e8a515" ON "jobs" ("state", "updated_at");
        ALTER TABLE "task_custom_field_definitions" ADD "position" INT;
    """,
    "postgres": """
        CREATE TABLE IF NOT EXISTS "board_imports" (
            "id" UUID NOT NULL PRIMARY KEY,
            "content" BYTEA NOT NULL,
            "preview" JSONB NOT NULL,
            "job_id" UUID,
            "created_at" TIMESTAMP NOT NULL,
            "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE
        );
        CREATE INDEX IF NOT EXISTS "idx_board_impor_organiz_0601df" ON "board_imports" ("organization_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_board_impor_user_id_9ce479" ON "board_imports" ("user_id");
        COMMENT ON TABLE "board_imports" IS 'A board''s file that was read and waits for its import, or has been imported: kept for a day.';
        CREATE TABLE IF NOT EXISTS "jobs" (
            "id" UUID NOT NULL PRIMARY KEY,
            "kind" VARCHAR(32) NOT NULL,
            "title" TEXT NOT NULL,
            "state" VARCHAR(16) NOT NULL,
            "step" TEXT NOT NULL,
            "done" INT NOT NULL,
            "total" INT,
            "result" JSONB,
            "error" TEXT,
            "runner" VARCHAR(64),
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "finished_at" TIMESTAMP,
            "read_at" TIMESTAMP,
            "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL,
            CONSTRAINT "ck_jobs_state" CHECK ("state" IN ('running', 'done', 'failed', 'interrupted'))
        );
        CREATE INDEX IF NOT EXISTS "idx_jobs_organiz_c47a7c" ON "jobs" ("organization_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_jobs_user_id_269828" ON "jobs" ("user_id", "read_at");
        CREATE INDEX IF NOT EXISTS "idx_jobs_state_e8a515" ON "jobs" ("state", "updated_at");
        COMMENT ON TABLE "jobs" IS 'One piece of long work: `running`, `done`, `failed` or `interrupted`.';
        ALTER TABLE "task_custom_field_definitions" ADD "position" INT;
    """,
}

DOWN = {
    "sqlite": """
        ALTER TABLE "task_custom_field_definitions" DROP COLUMN "position";
        DROP TABLE IF EXISTS "board_imports";
        DROP TABLE IF EXISTS "jobs";
    """,
    "postgres": """
        ALTER TABLE "task_custom_field_definitions" DROP COLUMN "position";
        DROP TABLE IF EXISTS "board_imports";
        DROP TABLE IF EXISTS "jobs";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
