"""Outgoing webhooks, and what is sent by them."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

DROPPED = """
    DROP TABLE IF EXISTS "outgoing_deliveries";
    DROP TABLE IF EXISTS "outgoing_webhooks";
"""

UP = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS "outgoing_webhooks" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "description" TEXT NOT NULL,
            "url" TEXT NOT NULL,
            "kinds" JSON NOT NULL,
            "secret" TEXT NOT NULL,
            "former_secret" TEXT,
            "former_until" TIMESTAMP,
            "state" VARCHAR(16) NOT NULL,
            "state_at" TIMESTAMP NOT NULL,
            "reason" TEXT,
            "position" BIGINT NOT NULL,
            "failing_since" TIMESTAMP,
            "given_up" INT NOT NULL,
            "not_before" TIMESTAMP,
            "board_id" CHAR(36) REFERENCES "boards" ("id") ON DELETE CASCADE,
            "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE
        );
        CREATE INDEX IF NOT EXISTS "idx_outgoing_we_organiz_166768" ON "outgoing_webhooks" ("organization_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_outgoing_we_board_i_e7dbdc" ON "outgoing_webhooks" ("board_id", "created_at");
        CREATE TABLE IF NOT EXISTS "outgoing_deliveries" (
            "state" VARCHAR(16) NOT NULL,
            "attempts" INT NOT NULL,
            "due_at" TIMESTAMP NOT NULL,
            "leased_by" VARCHAR(64),
            "leased_until" TIMESTAMP,
            "last_error" TEXT,
            "created_at" TIMESTAMP NOT NULL,
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "message_id" CHAR(36) NOT NULL,
            "seq" BIGINT,
            "kind" VARCHAR(96) NOT NULL,
            "data" JSON,
            "happened_at" TIMESTAMP NOT NULL,
            "is_replay" INT NOT NULL,
            "status" INT,
            "answer" TEXT,
            "duration_ms" INT,
            "tried_at" TIMESTAMP,
            "ended_at" TIMESTAMP,
            "webhook_id" CHAR(36) NOT NULL REFERENCES "outgoing_webhooks" ("id") ON DELETE CASCADE
        );
        CREATE INDEX IF NOT EXISTS "idx_outgoing_de_webhook_68262c" ON "outgoing_deliveries" ("webhook_id", "state", "due_at");
        CREATE INDEX IF NOT EXISTS "idx_outgoing_de_webhook_06d50e" ON "outgoing_deliveries" ("webhook_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_outgoing_de_webhook_d803e2" ON "outgoing_deliveries" ("webhook_id", "message_id");
    """,
    "postgres": """
        CREATE TABLE IF NOT EXISTS "outgoing_webhooks" (
            "id" UUID NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "description" TEXT NOT NULL,
            "url" TEXT NOT NULL,
            "kinds" JSONB NOT NULL,
            "secret" TEXT NOT NULL,
            "former_secret" TEXT,
            "former_until" TIMESTAMP,
            "state" VARCHAR(16) NOT NULL,
            "state_at" TIMESTAMP NOT NULL,
            "reason" TEXT,
            "position" BIGINT NOT NULL,
            "failing_since" TIMESTAMP,
            "given_up" INT NOT NULL,
            "not_before" TIMESTAMP,
            "board_id" UUID REFERENCES "boards" ("id") ON DELETE CASCADE,
            "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE
        );
        CREATE INDEX IF NOT EXISTS "idx_outgoing_we_organiz_166768" ON "outgoing_webhooks" ("organization_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_outgoing_we_board_i_e7dbdc" ON "outgoing_webhooks" ("board_id", "created_at");
        CREATE TABLE IF NOT EXISTS "outgoing_deliveries" (
            "state" VARCHAR(16) NOT NULL,
            "attempts" INT NOT NULL,
            "due_at" TIMESTAMP NOT NULL,
            "leased_by" VARCHAR(64),
            "leased_until" TIMESTAMP,
            "last_error" TEXT,
            "created_at" TIMESTAMP NOT NULL,
            "id" UUID NOT NULL PRIMARY KEY,
            "message_id" UUID NOT NULL,
            "seq" BIGINT,
            "kind" VARCHAR(96) NOT NULL,
            "data" JSONB,
            "happened_at" TIMESTAMP NOT NULL,
            "is_replay" BOOL NOT NULL,
            "status" INT,
            "answer" TEXT,
            "duration_ms" INT,
            "tried_at" TIMESTAMP,
            "ended_at" TIMESTAMP,
            "webhook_id" UUID NOT NULL REFERENCES "outgoing_webhooks" ("id") ON DELETE CASCADE
        );
        CREATE INDEX IF NOT EXISTS "idx_outgoing_de_webhook_68262c" ON "outgoing_deliveries" ("webhook_id", "state", "due_at");
        CREATE INDEX IF NOT EXISTS "idx_outgoing_de_webhook_06d50e" ON "outgoing_deliveries" ("webhook_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_outgoing_de_webhook_d803e2" ON "outgoing_deliveries" ("webhook_id", "message_id");
    """,
}

DOWN = {"sqlite": DROPPED, "postgres": DROPPED}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
