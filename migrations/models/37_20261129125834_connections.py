"""Connections of programs on people's machines, and the codes by which terminals are signed in."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS "connections" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "client" VARCHAR(32) NOT NULL,
            "client_version" VARCHAR(64),
            "host_label" VARCHAR(255),
            "user_label" VARCHAR(255),
            "system" VARCHAR(255),
            "checked" JSON,
            "checked_at" TIMESTAMP,
            "ended_at" TIMESTAMP,
            "agent_id" CHAR(36) NOT NULL REFERENCES "agents" ("id") ON DELETE CASCADE,
            "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "user_id" CHAR(36) NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE
        ) /* A program on somebody's machine that works as an agent: a person approved it, and it has a token of its own. */;
        CREATE INDEX IF NOT EXISTS "idx_connections_organiz_e03272" ON "connections" ("organization_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_connections_user_id_7712c3" ON "connections" ("user_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_connections_agent_i_b2fb12" ON "connections" ("agent_id");
        CREATE INDEX IF NOT EXISTS "idx_connections_board_i_e50db1" ON "connections" ("board_id");
        CREATE TABLE IF NOT EXISTS "device_codes" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "fingerprint" VARCHAR(64) NOT NULL UNIQUE,
            "user_code" VARCHAR(16) NOT NULL UNIQUE,
            "client" VARCHAR(32) NOT NULL,
            "host_label" VARCHAR(255),
            "user_label" VARCHAR(255),
            "system" VARCHAR(255),
            "wanted_board" VARCHAR(255),
            "wanted_agent" VARCHAR(255),
            "address" VARCHAR(64) NOT NULL,
            "expires_at" TIMESTAMP NOT NULL,
            "interval_seconds" INT NOT NULL,
            "polled_at" TIMESTAMP,
            "state" VARCHAR(16) NOT NULL,
            "user_id" CHAR(36),
            "board_id" CHAR(36),
            "agent_id" CHAR(36)
        ) /* A terminal that asks to be signed in, as RFC 8628 has it: `pending`, `approved`, `refused`, or `used`. */;
        CREATE INDEX IF NOT EXISTS "idx_device_code_expires_76a1ee" ON "device_codes" ("expires_at");
        ALTER TABLE "tokens" ADD "connection_id" CHAR(36) REFERENCES "connections" ("id") ON DELETE CASCADE;
        ALTER TABLE "agent_sessions" ADD "connection_id" CHAR(36);
        CREATE INDEX "idx_tokens_connection" ON "tokens" ("connection_id") WHERE "connection_id" IS NOT NULL;
        CREATE INDEX "idx_agent_sessions_connection" ON "agent_sessions" ("connection_id", "last_seen_at")
            WHERE "connection_id" IS NOT NULL;
    """,
    "postgres": """
        CREATE TABLE IF NOT EXISTS "connections" (
            "id" UUID NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "client" VARCHAR(32) NOT NULL,
            "client_version" VARCHAR(64),
            "host_label" VARCHAR(255),
            "user_label" VARCHAR(255),
            "system" VARCHAR(255),
            "checked" JSONB,
            "checked_at" TIMESTAMP,
            "ended_at" TIMESTAMP,
            "agent_id" UUID NOT NULL REFERENCES "agents" ("id") ON DELETE CASCADE,
            "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE
        );
        CREATE INDEX IF NOT EXISTS "idx_connections_organiz_e03272" ON "connections" ("organization_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_connections_user_id_7712c3" ON "connections" ("user_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_connections_agent_i_b2fb12" ON "connections" ("agent_id");
        CREATE INDEX IF NOT EXISTS "idx_connections_board_i_e50db1" ON "connections" ("board_id");
        COMMENT ON TABLE "connections" IS 'A program on somebody''s machine that works as an agent: a person approved it, and it has a token of its own.';
        CREATE TABLE IF NOT EXISTS "device_codes" (
            "id" UUID NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "fingerprint" VARCHAR(64) NOT NULL UNIQUE,
            "user_code" VARCHAR(16) NOT NULL UNIQUE,
            "client" VARCHAR(32) NOT NULL,
            "host_label" VARCHAR(255),
            "user_label" VARCHAR(255),
            "system" VARCHAR(255),
            "wanted_board" VARCHAR(255),
            "wanted_agent" VARCHAR(255),
            "address" VARCHAR(64) NOT NULL,
            "expires_at" TIMESTAMP NOT NULL,
            "interval_seconds" INT NOT NULL,
            "polled_at" TIMESTAMP,
            "state" VARCHAR(16) NOT NULL,
            "user_id" UUID,
            "board_id" UUID,
            "agent_id" UUID
        );
        CREATE INDEX IF NOT EXISTS "idx_device_code_expires_76a1ee" ON "device_codes" ("expires_at");
        COMMENT ON TABLE "device_codes" IS 'A terminal that asks to be signed in, as RFC 8628 has it: `pending`, `approved`, `refused`, or `used`.';
        ALTER TABLE "tokens" ADD "connection_id" UUID;
        ALTER TABLE "agent_sessions" ADD "connection_id" UUID;
        ALTER TABLE "tokens" ADD CONSTRAINT "fk_tokens_connecti_b452fb3d" FOREIGN KEY ("connection_id") REFERENCES "connections" ("id") ON DELETE CASCADE;
        CREATE INDEX "idx_tokens_connection" ON "tokens" ("connection_id") WHERE "connection_id" IS NOT NULL;
        CREATE INDEX "idx_agent_sessions_connection" ON "agent_sessions" ("connection_id", "last_seen_at")
            WHERE "connection_id" IS NOT NULL;
    """,
}

DOWN = {
    "sqlite": """
        DROP INDEX IF EXISTS "idx_tokens_connection";
        DROP INDEX IF EXISTS "idx_agent_sessions_connection";
        DELETE FROM "tokens" WHERE "connection_id" IS NOT NULL;
        ALTER TABLE "tokens" DROP COLUMN "connection_id";
        ALTER TABLE "agent_sessions" DROP COLUMN "connection_id";
        DROP TABLE IF EXISTS "connections";
        DROP TABLE IF EXISTS "device_codes";
    """,
    "postgres": """
        DROP INDEX IF EXISTS "idx_tokens_connection";
        DROP INDEX IF EXISTS "idx_agent_sessions_connection";
        ALTER TABLE "tokens" DROP CONSTRAINT IF EXISTS "fk_tokens_connecti_b452fb3d";
        DELETE FROM "tokens" WHERE "connection_id" IS NOT NULL;
        ALTER TABLE "tokens" DROP COLUMN "connection_id";
        ALTER TABLE "agent_sessions" DROP COLUMN "connection_id";
        DROP TABLE IF EXISTS "connections";
        DROP TABLE IF EXISTS "device_codes";
    """,
}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
