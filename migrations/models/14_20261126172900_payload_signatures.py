from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        ALTER TABLE "board_webhook_payloads" ADD "is_test" INT NOT NULL DEFAULT 0;
        ALTER TABLE "board_webhook_payloads" ADD "is_signed" INT;
    """,
    "postgres": """
        ALTER TABLE "board_webhook_payloads" ADD "is_test" BOOL NOT NULL DEFAULT False;
        ALTER TABLE "board_webhook_payloads" ADD "is_signed" BOOL;
    """,
}

DOWN = {
    "sqlite": """
        ALTER TABLE "board_webhook_payloads" DROP COLUMN "is_test";
        ALTER TABLE "board_webhook_payloads" DROP COLUMN "is_signed";
    """,
    "postgres": """
        ALTER TABLE "board_webhook_payloads" DROP COLUMN "is_test";
        ALTER TABLE "board_webhook_payloads" DROP COLUMN "is_signed";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
