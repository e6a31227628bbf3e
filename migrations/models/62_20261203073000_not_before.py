"""The moment before which no agent begins a task; the timer looks for the next one."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

DATABASES = ("sqlite", "postgres")
UP = dict.fromkeys(
    DATABASES,
    'ALTER TABLE "tasks" ADD "not_before" TIMESTAMP;'
    ' CREATE INDEX "idx_tasks_not_before" ON "tasks" ("not_before") WHERE "not_before" IS NOT NULL;',
)
DOWN = dict.fromkeys(DATABASES, 'DROP INDEX "idx_tasks_not_before"; ALTER TABLE "tasks" DROP COLUMN "not_before";')

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
