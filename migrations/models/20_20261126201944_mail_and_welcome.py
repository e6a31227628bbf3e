from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        ALTER TABLE "users" ADD "welcomed_at" TIMESTAMP;
        ALTER TABLE "organization_invites" ADD "mail_delivery_id" CHAR(36);
    """,
    "postgres": """
        ALTER TABLE "users" ADD "welcomed_at" TIMESTAMP;
        ALTER TABLE "organization_invites" ADD "mail_delivery_id" UUID;
    """,
}

DOWN = {
    "sqlite": """
        ALTER TABLE "users" DROP COLUMN "welcomed_at";
        ALTER TABLE "organization_invites" DROP COLUMN "mail_delivery_id";
    """,
    "postgres": """
        ALTER TABLE "users" DROP COLUMN "welcomed_at";
        ALTER TABLE "organization_invites" DROP COLUMN "mail_delivery_id";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
