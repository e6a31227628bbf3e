from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

LEASE = 'ALTER TABLE "task_runs" ADD "lease_seconds" INT NOT NULL DEFAULT 900;'
UP = {
    "sqlite": f'{LEASE} ALTER TABLE "jobs" ADD "about_id" CHAR(36);',
    "postgres": f'{LEASE} ALTER TABLE "jobs" ADD "about_id" UUID;',
}

DOWN = dict.fromkeys(
    ("sqlite", "postgres"),
    'ALTER TABLE "jobs" DROP COLUMN "about_id"; ALTER TABLE "task_runs" DROP COLUMN "lease_seconds";',
)

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
