"""What work on a board needs before an agent hands it in or finishes it."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

UP = {name: f'ALTER TABLE "boards" ADD "done_needs" {kind};' for name, kind in (("sqlite", "JSON"), ("postgres", "JSONB"))}
DOWN = dict.fromkeys(UP, 'ALTER TABLE "boards" DROP COLUMN "done_needs";')

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
