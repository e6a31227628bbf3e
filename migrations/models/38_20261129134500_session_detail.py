"""What boards keep of the sessions of programs that people connect."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

CREATED = """
    ALTER TABLE "boards" ADD "session_detail" VARCHAR(16) NOT NULL DEFAULT 'names';
"""
DROPPED = """
    ALTER TABLE "boards" DROP COLUMN "session_detail";
"""
UP = {"sqlite": CREATED, "postgres": CREATED}
DOWN = {"sqlite": DROPPED, "postgres": DROPPED}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
