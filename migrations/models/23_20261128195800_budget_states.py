from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

DIALECTS = ("sqlite", "postgres")

# The same on both.
UP = dict.fromkeys(
    DIALECTS,
    """
        ALTER TABLE "budgets" ADD "state_at" TIMESTAMP;
    """,
)
DOWN = dict.fromkeys(
    DIALECTS,
    """
        ALTER TABLE "budgets" DROP COLUMN "state_at";
    """,
)


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
