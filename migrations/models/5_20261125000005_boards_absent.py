from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        ALTER TABLE "boards" ADD "absent_since" TIMESTAMP;
    """,
    "postgres": """
        ALTER TABLE "boards" ADD "absent_since" TIMESTAMP;
    """,
}

DOWN = {
    "sqlite": """
        ALTER TABLE "boards" DROP COLUMN "absent_since";
    """,
    "postgres": """
        ALTER TABLE "boards" DROP COLUMN "absent_since";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
