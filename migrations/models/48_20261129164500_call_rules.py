"""Rules of boards for the calls of programs, with what is read of their history; how long Codex waits for people."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

INDEX = """CREATE INDEX IF NOT EXISTS "idx_events_of_board_changes" ON "events" ("board_id", "seq")
            WHERE "kind" = 'board.updated';"""
ADDED = f"""ALTER TABLE "boards" ADD "codex_wait_seconds" INT NOT NULL DEFAULT 45; {INDEX}"""
UNDONE = """DROP INDEX IF EXISTS "idx_events_of_board_changes";
ALTER TABLE "boards" DROP COLUMN "codex_wait_seconds"; ALTER TABLE "boards" DROP COLUMN "call_rules";"""

UP = {
    "sqlite": f'ALTER TABLE "boards" ADD "call_rules" JSON; {ADDED}',
    "postgres": f'ALTER TABLE "boards" ADD "call_rules" JSONB; {ADDED}',
}
DOWN = {"sqlite": UNDONE, "postgres": UNDONE}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
