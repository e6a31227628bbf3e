from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS "gateway_requests" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "kind" VARCHAR(16) NOT NULL,
            "external_id" TEXT NOT NULL,
            "gateway_agent_id" TEXT NOT NULL,
            "agent_name" TEXT NOT NULL,
            "action_type" TEXT,
            "payload" JSON,
            "content" TEXT,
            "options" JSON,
            "allows_text" INT NOT NULL,
            "chosen_option_id" VARCHAR(64),
            "expires_at" TIMESTAMP,
            "status" VARCHAR(16) NOT NULL,
            "answer" TEXT,
            "answer_state" VARCHAR(16),
            "note" TEXT,
            "resolved_by_name" TEXT,
            "resolved_at" TIMESTAMP,
            "created_at" TIMESTAMP NOT NULL,
            "agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE SET NULL,
            "gateway_id" CHAR(36) NOT NULL REFERENCES "gateways" ("id") ON DELETE CASCADE,
            "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "resolved_by_user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL,
            CONSTRAINT "uid_gateway_req_gateway_3bedfe" UNIQUE ("gateway_id", "external_id"),
            CONSTRAINT "ck_gateway_requests_kind" CHECK ("kind" IN ('approval', 'question')),
            CONSTRAINT "ck_gateway_requests_status" CHECK ("status" IN ('pending', 'approved', 'rejected', 'answered', 'withdrawn'))
        ) /* What a gateway asks for an agent without a board: `kind` is `approval` or `question`. */;
        CREATE INDEX IF NOT EXISTS "idx_gateway_req_organiz_d5ebff" ON "gateway_requests" ("organization_id", "status", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_gateway_requests_agent" ON "gateway_requests" ("agent_id");
        CREATE INDEX IF NOT EXISTS "idx_gateway_requests_decider" ON "gateway_requests" ("resolved_by_user_id");
        CREATE INDEX IF NOT EXISTS "idx_gateway_requests_unanswered" ON "gateway_requests" ("gateway_id") WHERE "status" = 'pending' OR "answer_state" = 'waiting';
    """,
    "postgres": """
        CREATE TABLE IF NOT EXISTS "gateway_requests" (
            "id" UUID NOT NULL PRIMARY KEY,
            "kind" VARCHAR(16) NOT NULL,
            "external_id" TEXT NOT NULL,
            "gateway_agent_id" TEXT NOT NULL,
            "agent_name" TEXT NOT NULL,
            "action_type" TEXT,
            "payload" JSONB,
            "content" TEXT,
            "options" JSONB,
            "allows_text" BOOL NOT NULL,
            "chosen_option_id" VARCHAR(64),
            "expires_at" TIMESTAMP,
            "status" VARCHAR(16) NOT NULL,
            "answer" TEXT,
            "answer_state" VARCHAR(16),
            "note" TEXT,
            "resolved_by_name" TEXT,
            "resolved_at" TIMESTAMP,
            "created_at" TIMESTAMP NOT NULL,
            "agent_id" UUID REFERENCES "agents" ("id") ON DELETE SET NULL,
            "gateway_id" UUID NOT NULL REFERENCES "gateways" ("id") ON DELETE CASCADE,
            "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "resolved_by_user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL,
            CONSTRAINT "uid_gateway_req_gateway_3bedfe" UNIQUE ("gateway_id", "external_id"),
            CONSTRAINT "ck_gateway_requests_kind" CHECK ("kind" IN ('approval', 'question')),
            CONSTRAINT "ck_gateway_requests_status" CHECK ("status" IN ('pending', 'approved', 'rejected', 'answered', 'withdrawn'))
        );
        CREATE INDEX IF NOT EXISTS "idx_gateway_req_organiz_d5ebff" ON "gateway_requests" ("organization_id", "status", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_gateway_requests_agent" ON "gateway_requests" ("agent_id");
        CREATE INDEX IF NOT EXISTS "idx_gateway_requests_decider" ON "gateway_requests" ("resolved_by_user_id");
        CREATE INDEX IF NOT EXISTS "idx_gateway_requests_unanswered" ON "gateway_requests" ("gateway_id") WHERE "status" = 'pending' OR "answer_state" = 'waiting';
        COMMENT ON TABLE "gateway_requests" IS 'What a gateway asks for an agent without a board: `kind` is `approval` or `question`.';
    """,
}

DOWN = {
    "sqlite": """
        DROP TABLE IF EXISTS "gateway_requests";
    """,
    "postgres": """
        DROP TABLE IF EXISTS "gateway_requests";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
