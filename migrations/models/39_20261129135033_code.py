from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": 'ALTER TABLE "task_runs" ADD "code" JSON;',
    "postgres": 'ALTER TABLE "task_runs" ADD "code" JSONB;',
}

DOWN = {
    "sqlite": 'ALTER TABLE "task_runs" DROP COLUMN "code";',
    "postgres": 'ALTER TABLE "task_runs" DROP COLUMN "code";',
}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
