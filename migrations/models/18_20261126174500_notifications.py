from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS "notifications" (
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
        CREATE INDEX IF NOT EXISTS "idx_notificatio_user_id_f309d3" ON "notifications" ("user_id", "organization_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_notifications_organization" ON "notifications" ("organization_id");
        CREATE INDEX IF NOT EXISTS "idx_notifications_board" ON "notifications" ("board_id");
        CREATE INDEX IF NOT EXISTS "idx_notifications_task" ON "notifications" ("task_id");
    """,
    "postgres": """
        CREATE TABLE IF NOT EXISTS "notifications" (
            "id" UUID NOT NULL PRIMARY KEY,
            "kind" VARCHAR(16) NOT NULL,
            "comment_id" UUID,
            "memory_id" UUID,
            "actor_kind" VARCHAR(16) NOT NULL,
            "actor_id" UUID,
            "actor_name" TEXT,
            "created_at" TIMESTAMP NOT NULL,
            "read_at" TIMESTAMP,
            "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "task_id" UUID REFERENCES "tasks" ("id") ON DELETE CASCADE,
            "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
            CONSTRAINT "ck_notifications_kind" CHECK ("kind" IN ('mention', 'assignment'))
        );
        CREATE INDEX IF NOT EXISTS "idx_notificatio_user_id_f309d3" ON "notifications" ("user_id", "organization_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_notifications_organization" ON "notifications" ("organization_id");
        CREATE INDEX IF NOT EXISTS "idx_notifications_board" ON "notifications" ("board_id");
        CREATE INDEX IF NOT EXISTS "idx_notifications_task" ON "notifications" ("task_id");
        COMMENT ON TABLE "notifications" IS 'Something that concerns a person by name: `kind` is `mention` or `assignment`.';
    """,
}

DOWN = {
    "sqlite": """
        DROP TABLE IF EXISTS "notifications";
    """,
    "postgres": """
        DROP TABLE IF EXISTS "notifications";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
