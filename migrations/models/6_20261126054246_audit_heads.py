from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        ALTER TABLE "organizations" ADD "log_signature" VARCHAR(96) NOT NULL DEFAULT '';
        ALTER TABLE "events" ADD "version" SMALLINT NOT NULL DEFAULT 1;
    """,
    "postgres": """
        ALTER TABLE "organizations" ADD "log_signature" VARCHAR(96) NOT NULL DEFAULT '';
        ALTER TABLE "events" ADD "version" SMALLINT NOT NULL DEFAULT 1;
    """,
}

DOWN = {
    "sqlite": """
        ALTER TABLE "organizations" DROP COLUMN "log_signature";
        ALTER TABLE "events" DROP COLUMN "version";
    """,
    "postgres": """
        ALTER TABLE "organizations" DROP COLUMN "log_signature";
        ALTER TABLE "events" DROP COLUMN "version";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
