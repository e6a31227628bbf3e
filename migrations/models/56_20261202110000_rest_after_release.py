from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

UP = dict.fromkeys(("sqlite", "postgres"), 'ALTER TABLE "task_runs" ADD "rests_until" TIMESTAMP;')

DOWN = dict.fromkeys(("sqlite", "postgres"), 'ALTER TABLE "task_runs" DROP COLUMN "rests_until";')

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
