"""Approvals that the programs of sessions ask for: each call once while it waits."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

INDEX = """CREATE UNIQUE INDEX IF NOT EXISTS "idx_approvals_of_session" ON "approvals" ("session_id", "external_id")
            WHERE "session_id" IS NOT NULL AND "status" = 'pending';"""
UNDONE = 'DROP INDEX IF EXISTS "idx_approvals_of_session"; ALTER TABLE "approvals" DROP COLUMN "session_id";'

UP = {
    "sqlite": f'ALTER TABLE "approvals" ADD "session_id" CHAR(36); {INDEX}',
    "postgres": f'ALTER TABLE "approvals" ADD "session_id" UUID; {INDEX}',
}
DOWN = {"sqlite": UNDONE, "postgres": UNDONE}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
