from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        ALTER TABLE "board_webhooks" ADD "takes_unsigned" INT NOT NULL DEFAULT 0;
    """,
    "postgres": """
        ALTER TABLE "board_webhooks" ADD "takes_unsigned" BOOL NOT NULL DEFAULT False;
    """,
}

DOWN = {
    "sqlite": """
        ALTER TABLE "board_webhooks" DROP COLUMN "takes_unsigned";
    """,
    "postgres": """
        ALTER TABLE "board_webhooks" DROP COLUMN "takes_unsigned";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
