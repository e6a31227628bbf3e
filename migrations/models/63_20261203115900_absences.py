"""When people were absent, and when they closed what Home says of it."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

DATABASES = ("sqlite", "postgres")
UP = dict.fromkeys(
    DATABASES,
    'ALTER TABLE "users" ADD "absent_since" TIMESTAMP; ALTER TABLE "users" ADD "back_at" TIMESTAMP;'
    ' ALTER TABLE "organization_members" ADD "report_closed_at" TIMESTAMP;',
)
DOWN = dict.fromkeys(
    DATABASES,
    'ALTER TABLE "organization_members" DROP COLUMN "report_closed_at";'
    ' ALTER TABLE "users" DROP COLUMN "back_at"; ALTER TABLE "users" DROP COLUMN "absent_since";',
)

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
