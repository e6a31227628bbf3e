from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        ALTER TABLE "agents" ADD "run_began_at" TIMESTAMP;
        ALTER TABLE "agents" ADD "gateway_away_at" TIMESTAMP;
        UPDATE "agents" SET "gateway_away_at" = strftime('%Y-%m-%d %H:%M:%f', 'now')
            WHERE "gateway_id" IN (SELECT "id" FROM "gateways" WHERE "state" <> 'connected');
    """,
    "postgres": """
        ALTER TABLE "agents" ADD "run_began_at" TIMESTAMP;
        ALTER TABLE "agents" ADD "gateway_away_at" TIMESTAMP;
        UPDATE "agents" SET "gateway_away_at" = now() AT TIME ZONE 'UTC'
            WHERE "gateway_id" IN (SELECT "id" FROM "gateways" WHERE "state" <> 'connected');
    """,
}

DOWN = {
    "sqlite": """
        ALTER TABLE "agents" DROP COLUMN "run_began_at";
        ALTER TABLE "agents" DROP COLUMN "gateway_away_at";
    """,
    "postgres": """
        ALTER TABLE "agents" DROP COLUMN "run_began_at";
        ALTER TABLE "agents" DROP COLUMN "gateway_away_at";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
