"""Prices of models, where each amount comes from, tokens without a price, and those that were written to a cache."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

# What was stored as costing nothing was told without a cost.
WITHOUT_COST = """
        UPDATE "usage_entries" SET "priced" = 'unpriced', "unpriced_tokens" = "input_tokens" + "output_tokens"
            WHERE "cost_micros" = 0 AND "input_tokens" + "output_tokens" > 0;
        UPDATE "task_runs" SET "unpriced_tokens" = (SELECT COALESCE(SUM(e."unpriced_tokens"), 0)
            FROM "usage_entries" e WHERE e."run_id" = "task_runs"."id");
        CREATE INDEX "idx_usage_entries_session" ON "usage_entries" ("session_id") WHERE "session_id" IS NOT NULL;
        UPDATE "agent_sessions" SET "unpriced_tokens" = (SELECT COALESCE(SUM(e."unpriced_tokens"), 0)
            FROM "usage_entries" e WHERE e."session_id" = "agent_sessions"."id");
    """

UP = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS "model_prices" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "model" VARCHAR(200) NOT NULL,
            "since" VARCHAR(10) NOT NULL,
            "input_micros" BIGINT NOT NULL,
            "output_micros" BIGINT NOT NULL,
            "cached_micros" BIGINT,
            "written_micros" BIGINT,
            "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_model_price_organiz_eeec45" UNIQUE ("organization_id", "model", "since")
        ) /* What an organization pays for a model since a day, in millionths of a US dollar for a million tokens. */;
        ALTER TABLE "usage_entries" ADD "written_tokens" BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE "usage_entries" ADD "price_date" VARCHAR(10);
        ALTER TABLE "usage_entries" ADD "unpriced_tokens" BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE "usage_entries" ADD "priced" VARCHAR(16) NOT NULL DEFAULT 'told';
        ALTER TABLE "task_runs" ADD "written_tokens" BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE "task_runs" ADD "unpriced_tokens" BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE "agent_sessions" ADD "written_tokens" BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE "agent_sessions" ADD "unpriced_tokens" BIGINT NOT NULL DEFAULT 0;
    """,
    "postgres": """
        CREATE TABLE IF NOT EXISTS "model_prices" (
            "id" UUID NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "model" VARCHAR(200) NOT NULL,
            "since" VARCHAR(10) NOT NULL,
            "input_micros" BIGINT NOT NULL,
            "output_micros" BIGINT NOT NULL,
            "cached_micros" BIGINT,
            "written_micros" BIGINT,
            "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_model_price_organiz_eeec45" UNIQUE ("organization_id", "model", "since")
        );
        COMMENT ON TABLE "model_prices" IS 'What an organization pays for a model since a day, in millionths of a US dollar for a million tokens.';
        ALTER TABLE "usage_entries" ADD "written_tokens" BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE "usage_entries" ADD "price_date" VARCHAR(10);
        ALTER TABLE "usage_entries" ADD "unpriced_tokens" BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE "usage_entries" ADD "priced" VARCHAR(16) NOT NULL DEFAULT 'told';
        ALTER TABLE "task_runs" ADD "written_tokens" BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE "task_runs" ADD "unpriced_tokens" BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE "agent_sessions" ADD "written_tokens" BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE "agent_sessions" ADD "unpriced_tokens" BIGINT NOT NULL DEFAULT 0;
    """,
}

DOWN = {
    "sqlite": """
        DROP INDEX IF EXISTS "idx_usage_entries_session";
        ALTER TABLE "usage_entries" DROP COLUMN "written_tokens";
        ALTER TABLE "usage_entries" DROP COLUMN "price_date";
        ALTER TABLE "usage_entries" DROP COLUMN "unpriced_tokens";
        ALTER TABLE "usage_entries" DROP COLUMN "priced";
        ALTER TABLE "task_runs" DROP COLUMN "written_tokens";
        ALTER TABLE "task_runs" DROP COLUMN "unpriced_tokens";
        ALTER TABLE "agent_sessions" DROP COLUMN "written_tokens";
        ALTER TABLE "agent_sessions" DROP COLUMN "unpriced_tokens";
        DROP TABLE IF EXISTS "model_prices";
    """,
    "postgres": """
        DROP INDEX IF EXISTS "idx_usage_entries_session";
        ALTER TABLE "usage_entries" DROP COLUMN "written_tokens";
        ALTER TABLE "usage_entries" DROP COLUMN "price_date";
        ALTER TABLE "usage_entries" DROP COLUMN "unpriced_tokens";
        ALTER TABLE "usage_entries" DROP COLUMN "priced";
        ALTER TABLE "task_runs" DROP COLUMN "written_tokens";
        ALTER TABLE "task_runs" DROP COLUMN "unpriced_tokens";
        ALTER TABLE "agent_sessions" DROP COLUMN "written_tokens";
        ALTER TABLE "agent_sessions" DROP COLUMN "unpriced_tokens";
        DROP TABLE IF EXISTS "model_prices";
    """,
}

upgrade, downgrade = by_dialect({name: sql + WITHOUT_COST for name, sql in UP.items()}), by_dialect(DOWN)
