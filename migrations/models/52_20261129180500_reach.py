"""Where people are reached, what they chose, which needs wait for each, and what was sent."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS "reach_boards" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "how" VARCHAR(16) NOT NULL,
            "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "user_id" CHAR(36) NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_reach_board_user_id_95e18e" UNIQUE ("user_id", "board_id")
        ) /* How a person is reached about a board that differs: `at_once`, also in quiet hours, `digest` or `never`. */;
        CREATE INDEX IF NOT EXISTS "idx_reach_board_board_i_d3ca7a" ON "reach_boards" ("board_id");
        CREATE TABLE IF NOT EXISTS "reach_channels" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "kind" VARCHAR(32) NOT NULL,
            "name" VARCHAR(120) NOT NULL,
            "settings" JSON NOT NULL,
            "secrets" TEXT NOT NULL,
            "state" VARCHAR(16) NOT NULL,
            "last_error" TEXT,
            "failing_since" TIMESTAMP,
            "position" TEXT NOT NULL,
            "leased_by" VARCHAR(64),
            "leased_until" TIMESTAMP,
            "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE
        ) /* A channel that admins set up for their organization: a Slack app, a bot, a server of chats. */;
        CREATE INDEX IF NOT EXISTS "idx_reach_chann_organiz_650447" ON "reach_channels" ("organization_id", "kind");
        CREATE TABLE IF NOT EXISTS "reach_devices" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "kind" VARCHAR(32) NOT NULL,
            "mark" VARCHAR(64) UNIQUE,
            "who" TEXT NOT NULL,
            "address" TEXT NOT NULL,
            "settings" TEXT NOT NULL,
            "origin" TEXT NOT NULL,
            "label" VARCHAR(200) NOT NULL,
            "position" INT NOT NULL,
            "last_ok_at" TIMESTAMP,
            "last_error" TEXT,
            "failed_at" TIMESTAMP,
            "ended_at" TIMESTAMP,
            "board_id" CHAR(36) REFERENCES "boards" ("id") ON DELETE CASCADE,
            "channel_id" CHAR(36) REFERENCES "reach_channels" ("id") ON DELETE CASCADE,
            "organization_id" CHAR(36) REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE CASCADE
        ) /* A place where a person is reached, in all organizations unless it belongs to a channel of one; or a board's team. */;
        CREATE INDEX IF NOT EXISTS "idx_reach_devic_user_id_5833f9" ON "reach_devices" ("user_id", "ended_at");
        CREATE INDEX IF NOT EXISTS "idx_reach_devic_board_i_2f4c0b" ON "reach_devices" ("board_id", "ended_at");
        CREATE INDEX IF NOT EXISTS "idx_reach_devic_organiz_9ffb57" ON "reach_devices" ("organization_id");
        CREATE INDEX IF NOT EXISTS "idx_reach_devic_channel_458054" ON "reach_devices" ("channel_id");
        CREATE TABLE IF NOT EXISTS "reach_codes" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "hash" VARCHAR(64) NOT NULL UNIQUE,
            "expires_at" TIMESTAMP NOT NULL,
            "used_at" TIMESTAMP,
            "who" TEXT NOT NULL,
            "address" TEXT NOT NULL,
            "label" VARCHAR(200) NOT NULL,
            "channel_id" CHAR(36) NOT NULL REFERENCES "reach_channels" ("id") ON DELETE CASCADE,
            "user_id" CHAR(36) NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE
        ) /* A one-time code that links an account of a chat to a person: kept as a hash. */;
        CREATE INDEX IF NOT EXISTS "idx_reach_codes_user_id_780462" ON "reach_codes" ("user_id");
        CREATE INDEX IF NOT EXISTS "idx_reach_codes_channel_3de3a3" ON "reach_codes" ("channel_id");
        CREATE TABLE IF NOT EXISTS "reach_messages" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "kind" VARCHAR(32) NOT NULL,
            "why" VARCHAR(16) NOT NULL,
            "state" VARCHAR(16) NOT NULL,
            "title" TEXT NOT NULL,
            "topic" VARCHAR(64) NOT NULL,
            "is_first" INT NOT NULL,
            "provider_name" TEXT,
            "expires_at" TIMESTAMP,
            "sent_at" TIMESTAMP,
            "seen_at" TIMESTAMP,
            "ended_at" TIMESTAMP,
            "ended_how" TEXT,
            "error" TEXT,
            "edited" TEXT NOT NULL,
            "awaits" VARCHAR(80),
            "awaits_until" TIMESTAMP,
            "device_id" CHAR(36) REFERENCES "reach_devices" ("id") ON DELETE CASCADE,
            "organization_id" CHAR(36) REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE CASCADE
        ) /* What was sent, or is to be, to a person or a team; mail has no device. */;
        CREATE INDEX IF NOT EXISTS "idx_reach_messa_user_id_d2ac38" ON "reach_messages" ("user_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_reach_messa_device__27b3f3" ON "reach_messages" ("device_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_reach_messa_organiz_532076" ON "reach_messages" ("organization_id", "created_at");
        CREATE TABLE IF NOT EXISTS "reach_message_needs" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "position" INT NOT NULL,
            "kind" VARCHAR(16) NOT NULL,
            "subject_id" CHAR(36) NOT NULL,
            "substance" TEXT NOT NULL,
            "answers" JSON NOT NULL,
            "ended_how" TEXT,
            "ended_at" TIMESTAMP,
            "message_id" CHAR(36) NOT NULL REFERENCES "reach_messages" ("id") ON DELETE CASCADE
        ) /* A need in a message: what was shown of it, and which answers its buttons give, in their order. */;
        CREATE INDEX IF NOT EXISTS "idx_reach_messa_message_31b9f0" ON "reach_message_needs" ("message_id", "position");
        CREATE INDEX IF NOT EXISTS "idx_reach_messa_subject_a162d6" ON "reach_message_needs" ("subject_id", "kind");
        CREATE TABLE IF NOT EXISTS "reach_needs" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "reader_id" CHAR(36) NOT NULL,
            "kind" VARCHAR(16) NOT NULL,
            "subject_id" CHAR(36) NOT NULL,
            "version" TEXT NOT NULL,
            "substance" TEXT NOT NULL,
            "board_id" CHAR(36),
            "since" TIMESTAMP NOT NULL,
            "act_by" TIMESTAMP,
            "named" INT NOT NULL,
            "seen_at" TIMESTAMP,
            "tried" JSON NOT NULL,
            "failed" JSON NOT NULL,
            "next_at" TIMESTAMP,
            "ended_at" TIMESTAMP,
            "ended_how" TEXT,
            "device_id" CHAR(36) REFERENCES "reach_devices" ("id") ON DELETE CASCADE,
            "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_reach_needs_reader__04b5a5" UNIQUE ("reader_id", "kind", "subject_id")
        ) /* A need that waits for a person, or of a board whose team has a place (`device_id`): `reader_id` is either's id. */;
        CREATE INDEX IF NOT EXISTS "idx_reach_needs_organiz_5da0f1" ON "reach_needs" ("organization_id", "ended_at");
        CREATE INDEX IF NOT EXISTS "idx_reach_needs_user_id_1da673" ON "reach_needs" ("user_id");
        CREATE INDEX IF NOT EXISTS "idx_reach_needs_device__d0c5c3" ON "reach_needs" ("device_id");
        CREATE TABLE IF NOT EXISTS "reach_settings" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "mode" VARCHAR(16) NOT NULL,
            "next_after" INT NOT NULL,
            "has_quiet" INT NOT NULL,
            "quiet_from" VARCHAR(5) NOT NULL,
            "quiet_to" VARCHAR(5) NOT NULL,
            "days_off" JSON NOT NULL,
            "wake" INT NOT NULL,
            "shows" VARCHAR(16) NOT NULL,
            "only_blocking" INT NOT NULL,
            "morning" INT NOT NULL,
            "mail" INT NOT NULL,
            "kinds" JSON NOT NULL,
            "acted_at" TIMESTAMP,
            "user_id" CHAR(36) NOT NULL UNIQUE REFERENCES "users" ("id") ON DELETE CASCADE
        ) /* What a person chose; who has no row has the defaults. */;
    """,
    "postgres": """
        CREATE TABLE IF NOT EXISTS "reach_boards" (
            "id" UUID NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "how" VARCHAR(16) NOT NULL,
            "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_reach_board_user_id_95e18e" UNIQUE ("user_id", "board_id")
        );
        CREATE INDEX IF NOT EXISTS "idx_reach_board_board_i_d3ca7a" ON "reach_boards" ("board_id");
        COMMENT ON TABLE "reach_boards" IS 'How a person is reached about a board that differs: `at_once`, also in quiet hours, `digest` or `never`.';
        CREATE TABLE IF NOT EXISTS "reach_channels" (
            "id" UUID NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "kind" VARCHAR(32) NOT NULL,
            "name" VARCHAR(120) NOT NULL,
            "settings" JSONB NOT NULL,
            "secrets" TEXT NOT NULL,
            "state" VARCHAR(16) NOT NULL,
            "last_error" TEXT,
            "failing_since" TIMESTAMP,
            "position" TEXT NOT NULL,
            "leased_by" VARCHAR(64),
            "leased_until" TIMESTAMP,
            "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE
        );
        CREATE INDEX IF NOT EXISTS "idx_reach_chann_organiz_650447" ON "reach_channels" ("organization_id", "kind");
        COMMENT ON TABLE "reach_channels" IS 'A channel that admins set up for their organization: a Slack app, a bot, a server of chats.';
        CREATE TABLE IF NOT EXISTS "reach_devices" (
            "id" UUID NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "kind" VARCHAR(32) NOT NULL,
            "mark" VARCHAR(64) UNIQUE,
            "who" TEXT NOT NULL,
            "address" TEXT NOT NULL,
            "settings" TEXT NOT NULL,
            "origin" TEXT NOT NULL,
            "label" VARCHAR(200) NOT NULL,
            "position" INT NOT NULL,
            "last_ok_at" TIMESTAMP,
            "last_error" TEXT,
            "failed_at" TIMESTAMP,
            "ended_at" TIMESTAMP,
            "board_id" UUID REFERENCES "boards" ("id") ON DELETE CASCADE,
            "channel_id" UUID REFERENCES "reach_channels" ("id") ON DELETE CASCADE,
            "organization_id" UUID REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "user_id" UUID REFERENCES "users" ("id") ON DELETE CASCADE
        );
        CREATE INDEX IF NOT EXISTS "idx_reach_devic_user_id_5833f9" ON "reach_devices" ("user_id", "ended_at");
        CREATE INDEX IF NOT EXISTS "idx_reach_devic_board_i_2f4c0b" ON "reach_devices" ("board_id", "ended_at");
        CREATE INDEX IF NOT EXISTS "idx_reach_devic_organiz_9ffb57" ON "reach_devices" ("organization_id");
        CREATE INDEX IF NOT EXISTS "idx_reach_devic_channel_458054" ON "reach_devices" ("channel_id");
        COMMENT ON TABLE "reach_devices" IS 'A place where a person is reached, in all organizations unless it belongs to a channel of one; or a board''s team.';
        CREATE TABLE IF NOT EXISTS "reach_codes" (
            "id" UUID NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "hash" VARCHAR(64) NOT NULL UNIQUE,
            "expires_at" TIMESTAMP NOT NULL,
            "used_at" TIMESTAMP,
            "who" TEXT NOT NULL,
            "address" TEXT NOT NULL,
            "label" VARCHAR(200) NOT NULL,
            "channel_id" UUID NOT NULL REFERENCES "reach_channels" ("id") ON DELETE CASCADE,
            "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE
        );
        CREATE INDEX IF NOT EXISTS "idx_reach_codes_user_id_780462" ON "reach_codes" ("user_id");
        CREATE INDEX IF NOT EXISTS "idx_reach_codes_channel_3de3a3" ON "reach_codes" ("channel_id");
        COMMENT ON TABLE "reach_codes" IS 'A one-time code that links an account of a chat to a person: kept as a hash.';
        CREATE TABLE IF NOT EXISTS "reach_messages" (
            "id" UUID NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "kind" VARCHAR(32) NOT NULL,
            "why" VARCHAR(16) NOT NULL,
            "state" VARCHAR(16) NOT NULL,
            "title" TEXT NOT NULL,
            "topic" VARCHAR(64) NOT NULL,
            "is_first" BOOL NOT NULL,
            "provider_name" TEXT,
            "expires_at" TIMESTAMP,
            "sent_at" TIMESTAMP,
            "seen_at" TIMESTAMP,
            "ended_at" TIMESTAMP,
            "ended_how" TEXT,
            "error" TEXT,
            "edited" TEXT NOT NULL,
            "awaits" VARCHAR(80),
            "awaits_until" TIMESTAMP,
            "device_id" UUID REFERENCES "reach_devices" ("id") ON DELETE CASCADE,
            "organization_id" UUID REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "user_id" UUID REFERENCES "users" ("id") ON DELETE CASCADE
        );
        CREATE INDEX IF NOT EXISTS "idx_reach_messa_user_id_d2ac38" ON "reach_messages" ("user_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_reach_messa_device__27b3f3" ON "reach_messages" ("device_id", "created_at");
        CREATE INDEX IF NOT EXISTS "idx_reach_messa_organiz_532076" ON "reach_messages" ("organization_id", "created_at");
        COMMENT ON TABLE "reach_messages" IS 'What was sent, or is to be, to a person or a team; mail has no device.';
        CREATE TABLE IF NOT EXISTS "reach_message_needs" (
            "id" UUID NOT NULL PRIMARY KEY,
            "position" INT NOT NULL,
            "kind" VARCHAR(16) NOT NULL,
            "subject_id" UUID NOT NULL,
            "substance" TEXT NOT NULL,
            "answers" JSONB NOT NULL,
            "ended_how" TEXT,
            "ended_at" TIMESTAMP,
            "message_id" UUID NOT NULL REFERENCES "reach_messages" ("id") ON DELETE CASCADE
        );
        CREATE INDEX IF NOT EXISTS "idx_reach_messa_message_31b9f0" ON "reach_message_needs" ("message_id", "position");
        CREATE INDEX IF NOT EXISTS "idx_reach_messa_subject_a162d6" ON "reach_message_needs" ("subject_id", "kind");
        COMMENT ON TABLE "reach_message_needs" IS 'A need in a message: what was shown of it, and which answers its buttons give, in their order.';
        CREATE TABLE IF NOT EXISTS "reach_needs" (
            "id" UUID NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "reader_id" UUID NOT NULL,
            "kind" VARCHAR(16) NOT NULL,
            "subject_id" UUID NOT NULL,
            "version" TEXT NOT NULL,
            "substance" TEXT NOT NULL,
            "board_id" UUID,
            "since" TIMESTAMP NOT NULL,
            "act_by" TIMESTAMP,
            "named" BOOL NOT NULL,
            "seen_at" TIMESTAMP,
            "tried" JSONB NOT NULL,
            "failed" JSONB NOT NULL,
            "next_at" TIMESTAMP,
            "ended_at" TIMESTAMP,
            "ended_how" TEXT,
            "device_id" UUID REFERENCES "reach_devices" ("id") ON DELETE CASCADE,
            "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
            "user_id" UUID REFERENCES "users" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_reach_needs_reader__04b5a5" UNIQUE ("reader_id", "kind", "subject_id")
        );
        CREATE INDEX IF NOT EXISTS "idx_reach_needs_organiz_5da0f1" ON "reach_needs" ("organization_id", "ended_at");
        CREATE INDEX IF NOT EXISTS "idx_reach_needs_user_id_1da673" ON "reach_needs" ("user_id");
        CREATE INDEX IF NOT EXISTS "idx_reach_needs_device__d0c5c3" ON "reach_needs" ("device_id");
        COMMENT ON TABLE "reach_needs" IS 'A need that waits for a person, or of a board whose team has a place (`device_id`): `reader_id` is either''s id.';
        CREATE TABLE IF NOT EXISTS "reach_settings" (
            "id" UUID NOT NULL PRIMARY KEY,
            "mode" VARCHAR(16) NOT NULL,
            "next_after" INT NOT NULL,
            "has_quiet" BOOL NOT NULL,
            "quiet_from" VARCHAR(5) NOT NULL,
            "quiet_to" VARCHAR(5) NOT NULL,
            "days_off" JSONB NOT NULL,
            "wake" BOOL NOT NULL,
            "shows" VARCHAR(16) NOT NULL,
            "only_blocking" BOOL NOT NULL,
            "morning" BOOL NOT NULL,
            "mail" BOOL NOT NULL,
            "kinds" JSONB NOT NULL,
            "acted_at" TIMESTAMP,
            "user_id" UUID NOT NULL UNIQUE REFERENCES "users" ("id") ON DELETE CASCADE
        );
        COMMENT ON TABLE "reach_settings" IS 'What a person chose; who has no row has the defaults.';
    """,
}

UNDONE = """
        DROP TABLE IF EXISTS "reach_message_needs";
        DROP TABLE IF EXISTS "reach_messages";
        DROP TABLE IF EXISTS "reach_needs";
        DROP TABLE IF EXISTS "reach_codes";
        DROP TABLE IF EXISTS "reach_devices";
        DROP TABLE IF EXISTS "reach_channels";
        DROP TABLE IF EXISTS "reach_boards";
        DROP TABLE IF EXISTS "reach_settings";
"""
DOWN = {"sqlite": UNDONE, "postgres": UNDONE}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
