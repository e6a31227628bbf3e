"""Sessions that people stopped, and those that they put to a task."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

COLUMNS = {"stopped_at": "TIMESTAMP", "stop_reason": "TEXT", "attached_at": "TIMESTAMP"}
ADDED = " ".join(f'ALTER TABLE "agent_sessions" ADD "{name}" {kind};' for name, kind in COLUMNS.items())
DROPPED = " ".join(f'ALTER TABLE "agent_sessions" DROP COLUMN "{name}";' for name in COLUMNS)

UP = {"sqlite": ADDED, "postgres": ADDED}
DOWN = {"sqlite": DROPPED, "postgres": DROPPED}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
