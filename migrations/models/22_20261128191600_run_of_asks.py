from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        ALTER TABLE "approval_task_links" ADD "run_id" CHAR(36);
        ALTER TABLE "agent_questions" ADD "closed_at" TIMESTAMP;
        ALTER TABLE "agent_questions" ADD "closed_reason" TEXT;
        ALTER TABLE "agent_questions" ADD "run_id" CHAR(36);
        CREATE INDEX IF NOT EXISTS "idx_approvals_run" ON "approvals" ("run_id") WHERE "status" = 'pending';
        CREATE INDEX IF NOT EXISTS "idx_agent_questions_run" ON "agent_questions" ("run_id") WHERE "state" = 'open';
        UPDATE "approval_task_links" SET "run_id" = (SELECT r."id" FROM "task_runs" r JOIN "tasks" t ON t."id" = r."task_id"
            AND t."fence" = r."fence" WHERE t."id" = "approval_task_links"."task_id") WHERE "is_pending";
    """,
    "postgres": """
        ALTER TABLE "approval_task_links" ADD "run_id" UUID;
        ALTER TABLE "agent_questions" ADD "closed_at" TIMESTAMP;
        ALTER TABLE "agent_questions" ADD "closed_reason" TEXT;
        ALTER TABLE "agent_questions" ADD "run_id" UUID;
        CREATE INDEX IF NOT EXISTS "idx_approvals_run" ON "approvals" ("run_id") WHERE "status" = 'pending';
        CREATE INDEX IF NOT EXISTS "idx_agent_questions_run" ON "agent_questions" ("run_id") WHERE "state" = 'open';
        UPDATE "approval_task_links" SET "run_id" = (SELECT r."id" FROM "task_runs" r JOIN "tasks" t ON t."id" = r."task_id"
            AND t."fence" = r."fence" WHERE t."id" = "approval_task_links"."task_id") WHERE "is_pending";
    """,
}

DOWN = {
    "sqlite": """
        DROP INDEX IF EXISTS "idx_approvals_run";
        DROP INDEX IF EXISTS "idx_agent_questions_run";
        ALTER TABLE "approval_task_links" DROP COLUMN "run_id";
        ALTER TABLE "agent_questions" DROP COLUMN "closed_at";
        ALTER TABLE "agent_questions" DROP COLUMN "closed_reason";
        ALTER TABLE "agent_questions" DROP COLUMN "run_id";
    """,
    "postgres": """
        DROP INDEX IF EXISTS "idx_approvals_run";
        DROP INDEX IF EXISTS "idx_agent_questions_run";
        ALTER TABLE "approval_task_links" DROP COLUMN "run_id";
        ALTER TABLE "agent_questions" DROP COLUMN "closed_at";
        ALTER TABLE "agent_questions" DROP COLUMN "closed_reason";
        ALTER TABLE "agent_questions" DROP COLUMN "run_id";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
