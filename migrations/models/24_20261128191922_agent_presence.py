from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        ALTER TABLE "agents" ADD "run_began_at" TIMESTAMP;
        ALTER TABLE "agents" ADD "gateway_away_at" TIMESTAMP;
        UPDATE "agents" SET "gateway_away_at" = strftime('%Y-%m-%d %H:%M:%f', 'now')
            WHERE "gateway_id" IN (SELECT "id" FROM "gateways" WHERE "state" <> 'connected');
        DROP INDEX IF EXISTS "uid_provisioning_jobs_open";
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_provisioning_jobs_open" ON "provisioning_jobs" ("agent_id") WHERE "state" IN ('waiting', 'running') AND "action" NOT IN ('remove', 'unlink', 'sync', 'rest');
    """,
    "postgres": """
        ALTER TABLE "agents" ADD "run_began_at" TIMESTAMP;
        ALTER TABLE "agents" ADD "gateway_away_at" TIMESTAMP;
        UPDATE "agents" SET "gateway_away_at" = now() AT TIME ZONE 'UTC'
            WHERE "gateway_id" IN (SELECT "id" FROM "gateways" WHERE "state" <> 'connected');
        DROP INDEX IF EXISTS "uid_provisioning_jobs_open";
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_provisioning_jobs_open" ON "provisioning_jobs" ("agent_id") WHERE "state" IN ('waiting', 'running') AND "action" NOT IN ('remove', 'unlink', 'sync', 'rest');
    """,
}

DOWN = {
    "sqlite": """
        ALTER TABLE "agents" DROP COLUMN "run_began_at";
        ALTER TABLE "agents" DROP COLUMN "gateway_away_at";
        DROP INDEX IF EXISTS "uid_provisioning_jobs_open";
        DELETE FROM "provisioning_jobs" WHERE "action" = 'rest';
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_provisioning_jobs_open" ON "provisioning_jobs" ("agent_id") WHERE "state" IN ('waiting', 'running') AND "action" NOT IN ('remove', 'unlink', 'sync');
    """,
    "postgres": """
        ALTER TABLE "agents" DROP COLUMN "run_began_at";
        ALTER TABLE "agents" DROP COLUMN "gateway_away_at";
        DROP INDEX IF EXISTS "uid_provisioning_jobs_open";
        DELETE FROM "provisioning_jobs" WHERE "action" = 'rest';
        CREATE UNIQUE INDEX IF NOT EXISTS "uid_provisioning_jobs_open" ON "provisioning_jobs" ("agent_id") WHERE "state" IN ('waiting', 'running') AND "action" NOT IN ('remove', 'unlink', 'sync');
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
