from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        ALTER TABLE "marketplace_skills" ADD "content" TEXT;
    """,
    "postgres": """
        ALTER TABLE "marketplace_skills" ADD "content" TEXT;
    """,
}

DOWN = {
    "sqlite": """
        ALTER TABLE "marketplace_skills" DROP COLUMN "content";
    """,
    "postgres": """
        ALTER TABLE "marketplace_skills" DROP COLUMN "content";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
