"""The attempts of tasks: which approvals were asked and decided in the present one.

A task's attempt is its latest hand-out or reopening. All tasks begin at 0 here, and what was asked or decided before
their present attempt gets no number, so that it no longer lets them be done.
"""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

SINCE = """
        UPDATE "approval_task_links" SET "{column}" = 0 WHERE EXISTS (
            SELECT 1 FROM "approvals" a WHERE a."id" = "approval_id" AND a."{moment}" IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM "task_runs" r
                WHERE r."task_id" = "approval_task_links"."task_id" AND r."started_at" > a."{moment}")
            AND NOT EXISTS (SELECT 1 FROM "events" e
                WHERE e."task_id" = "approval_task_links"."task_id" AND e."kind" = 'task.status_changed'
                AND e."created_at" > a."{moment}" AND {was_done}));
"""
WAS_DONE = {
    "sqlite": """json_extract(e."data", '$.before.status') = 'done'""",
    "postgres": """CAST(e."data" AS json) -> 'before' ->> 'status' = 'done'""",
}


def known(dialect: str) -> str:
    """What is known of the approvals that are here already."""
    columns = (("asked_attempt", "created_at"), ("decided_attempt", "resolved_at"))
    return "".join(SINCE.format(column=c, moment=m, was_done=WAS_DONE[dialect]) for c, m in columns)


UP = {
    "sqlite": """
        ALTER TABLE "approvals" ADD "run_id" CHAR(36);
        ALTER TABLE "approval_task_links" ADD "outcome_reason" TEXT;
        ALTER TABLE "approval_task_links" ADD "decided_attempt" INT;
        ALTER TABLE "approval_task_links" ADD "outcome" VARCHAR(16);
        ALTER TABLE "approval_task_links" ADD "asked_attempt" INT;
        ALTER TABLE "tasks" ADD "rework_at" TIMESTAMP;
        ALTER TABLE "tasks" ADD "attempt" INT NOT NULL DEFAULT 0;
    """,
    "postgres": """
        ALTER TABLE "approvals" ADD "run_id" UUID;
        ALTER TABLE "approval_task_links" ADD "outcome_reason" TEXT;
        ALTER TABLE "approval_task_links" ADD "decided_attempt" INT;
        ALTER TABLE "approval_task_links" ADD "outcome" VARCHAR(16);
        ALTER TABLE "approval_task_links" ADD "asked_attempt" INT;
        ALTER TABLE "tasks" ADD "rework_at" TIMESTAMP;
        ALTER TABLE "tasks" ADD "attempt" INT NOT NULL DEFAULT 0;
    """,
}

DOWN = {
    "sqlite": """
        ALTER TABLE "approvals" DROP COLUMN "run_id";
        ALTER TABLE "approval_task_links" DROP COLUMN "outcome_reason";
        ALTER TABLE "approval_task_links" DROP COLUMN "decided_attempt";
        ALTER TABLE "approval_task_links" DROP COLUMN "outcome";
        ALTER TABLE "approval_task_links" DROP COLUMN "asked_attempt";
        ALTER TABLE "tasks" DROP COLUMN "rework_at";
        ALTER TABLE "tasks" DROP COLUMN "attempt";
    """,
    "postgres": """
        ALTER TABLE "approvals" DROP COLUMN "run_id";
        ALTER TABLE "approval_task_links" DROP COLUMN "outcome_reason";
        ALTER TABLE "approval_task_links" DROP COLUMN "decided_attempt";
        ALTER TABLE "approval_task_links" DROP COLUMN "outcome";
        ALTER TABLE "approval_task_links" DROP COLUMN "asked_attempt";
        ALTER TABLE "tasks" DROP COLUMN "rework_at";
        ALTER TABLE "tasks" DROP COLUMN "attempt";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    dialect = db.capabilities.dialect
    return UP[dialect] + known(dialect)


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
