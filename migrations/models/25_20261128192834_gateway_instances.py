from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

# The index leaves rows without an id alone, and is no key: writing an id does not wait for rows that refer to gateways.
INDEX = """
        CREATE UNIQUE INDEX "uid_gateways_instance" ON "gateways" ("organization_id", "instance_id")
            WHERE "instance_id" IS NOT NULL;
        CREATE INDEX "idx_gateways_same_as" ON "gateways" ("same_as_id");
        UPDATE "need_snoozes" SET "kind" = 'gateway' WHERE "kind" = 'pairing';
    """

UP = {
    "sqlite": """
        ALTER TABLE "gateways" ADD "instance_id" VARCHAR(200);
        ALTER TABLE "gateways" ADD "same_as_id" CHAR(36) REFERENCES "gateways" ("id") ON DELETE SET NULL;
        ALTER TABLE "gateways" ADD "away_since" TIMESTAMP;
    """
    + INDEX,
    "postgres": """
        ALTER TABLE "gateways" ADD "instance_id" VARCHAR(200);
        ALTER TABLE "gateways" ADD "same_as_id" UUID REFERENCES "gateways" ("id") ON DELETE SET NULL;
        ALTER TABLE "gateways" ADD "away_since" TIMESTAMP;
    """
    + INDEX,
}

# The same on both.
DOWN = dict.fromkeys(
    UP,
    """
        UPDATE "need_snoozes" SET "kind" = 'pairing' WHERE "kind" = 'gateway';
        DROP INDEX "uid_gateways_instance";
        DROP INDEX "idx_gateways_same_as";
        ALTER TABLE "gateways" DROP COLUMN "instance_id";
        ALTER TABLE "gateways" DROP COLUMN "same_as_id";
        ALTER TABLE "gateways" DROP COLUMN "away_since";
    """,
)


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
