from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        ALTER TABLE "organization_invites" ADD "encrypted_token" TEXT;
    """,
    "postgres": """
        ALTER TABLE "organization_invites" ADD "encrypted_token" TEXT;
    """,
}

DOWN = {
    "sqlite": """
        ALTER TABLE "organization_invites" DROP COLUMN "encrypted_token";
    """,
    "postgres": """
        ALTER TABLE "organization_invites" DROP COLUMN "encrypted_token";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
