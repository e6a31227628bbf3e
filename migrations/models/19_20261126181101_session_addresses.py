from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        ALTER TABLE "sessions" ADD "address" VARCHAR(64);
    """,
    "postgres": """
        ALTER TABLE "sessions" ADD "address" VARCHAR(64);
    """,
}

DOWN = {
    "sqlite": """
        ALTER TABLE "sessions" DROP COLUMN "address";
    """,
    "postgres": """
        ALTER TABLE "sessions" DROP COLUMN "address";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
