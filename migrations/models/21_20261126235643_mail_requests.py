from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS "mail_requests" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "key" VARCHAR(64) NOT NULL,
            "created_at" TIMESTAMP NOT NULL
        ) /* Somebody without a session asked for a mail: counted for an hour by account and by address, in every process. */;
        CREATE INDEX IF NOT EXISTS "idx_mail_reques_key_c3af06" ON "mail_requests" ("key", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_mail_reques_created_7458d5" ON "mail_requests" ("created_at");
    """,
    "postgres": """
        CREATE TABLE IF NOT EXISTS "mail_requests" (
            "id" UUID NOT NULL PRIMARY KEY,
            "key" VARCHAR(64) NOT NULL,
            "created_at" TIMESTAMP NOT NULL
        );
        CREATE INDEX IF NOT EXISTS "idx_mail_reques_key_c3af06" ON "mail_requests" ("key", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_mail_reques_created_7458d5" ON "mail_requests" ("created_at");
        COMMENT ON TABLE "mail_requests" IS 'Somebody without a session asked for a mail: counted for an hour by account and by address, in every process.';
    """,
}

DOWN = {
    "sqlite": """
        DROP TABLE IF EXISTS "mail_requests";
    """,
    "postgres": """
        DROP TABLE IF EXISTS "mail_requests";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
