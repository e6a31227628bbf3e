from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        ALTER TABLE "agent_questions" ADD "options" JSON;
        ALTER TABLE "agent_questions" ADD "chosen_option_id" VARCHAR(64);
        ALTER TABLE "agent_questions" ADD "allows_text" INT NOT NULL DEFAULT 1;
    """,
    "postgres": """
        ALTER TABLE "agent_questions" ADD "options" JSONB;
        ALTER TABLE "agent_questions" ADD "chosen_option_id" VARCHAR(64);
        ALTER TABLE "agent_questions" ADD "allows_text" BOOL NOT NULL DEFAULT True;
    """,
}

DOWN = {
    "sqlite": """
        ALTER TABLE "agent_questions" DROP COLUMN "options";
        ALTER TABLE "agent_questions" DROP COLUMN "chosen_option_id";
        ALTER TABLE "agent_questions" DROP COLUMN "allows_text";
    """,
    "postgres": """
        ALTER TABLE "agent_questions" DROP COLUMN "options";
        ALTER TABLE "agent_questions" DROP COLUMN "chosen_option_id";
        ALTER TABLE "agent_questions" DROP COLUMN "allows_text";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
