from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        ALTER TABLE "reach_needs" ADD "given_up_at" TIMESTAMP;
        CREATE INDEX IF NOT EXISTS "idx_reach_needs_organiz_82ccde" ON "reach_needs" ("organization_id", "given_up_at");
    """,
    "postgres": """
        ALTER TABLE "reach_needs" ADD "given_up_at" TIMESTAMP;
        CREATE INDEX IF NOT EXISTS "idx_reach_needs_organiz_82ccde" ON "reach_needs" ("organization_id", "given_up_at");
    """,
}

DOWN = {
    "sqlite": """
        DROP INDEX IF EXISTS "idx_reach_needs_organiz_82ccde";
        ALTER TABLE "reach_needs" DROP COLUMN "given_up_at";
    """,
    "postgres": """
        DROP INDEX IF EXISTS "idx_reach_needs_organiz_82ccde";
        ALTER TABLE "reach_needs" DROP COLUMN "given_up_at";
    """,
}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
