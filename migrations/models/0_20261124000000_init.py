from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS "account_events" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "seq" BIGINT NOT NULL UNIQUE,
    "kind" VARCHAR(64) NOT NULL,
    "user_id" CHAR(36),
    "actor_id" CHAR(36),
    "data" TEXT NOT NULL,
    "prev_hash" VARCHAR(64) NOT NULL,
    "hash" VARCHAR(64) NOT NULL,
    "created_at" TIMESTAMP NOT NULL
) /* One entry of the account log: sign-ins, passwords, tokens. Numbered and chained like events. */;
CREATE INDEX IF NOT EXISTS "idx_account_eve_user_id_bd4e3c" ON "account_events" ("user_id", "seq");
CREATE TABLE IF NOT EXISTS "instance_settings" (
    "name" VARCHAR(64) NOT NULL PRIMARY KEY,
    "value" TEXT NOT NULL
) /* One value of the whole installation, such as the setup code's fingerprint. */;
CREATE TABLE IF NOT EXISTS "organizations" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "is_demo" INT NOT NULL,
    "log_seq" BIGINT NOT NULL,
    "log_hash" VARCHAR(64) NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL
) /* Everything that belongs together: boards, agents, members, and one event log. */;
CREATE TABLE IF NOT EXISTS "users" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "clerk_user_id" VARCHAR(255) NOT NULL UNIQUE,
    "email" VARCHAR(320),
    "name" TEXT,
    "preferred_name" TEXT,
    "pronouns" TEXT,
    "timezone" TEXT,
    "notes" TEXT,
    "context" TEXT,
    "is_super_admin" INT NOT NULL,
    "password_hash" TEXT,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "active_organization_id" CHAR(36) REFERENCES "organizations" ("id") ON DELETE SET NULL
) /* A person. */;
CREATE TABLE IF NOT EXISTS "password_resets" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "fingerprint" VARCHAR(64) NOT NULL UNIQUE,
    "expires_at" TIMESTAMP NOT NULL,
    "used_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "user_id" CHAR(36) NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE
) /* A one-time link with which a person sets a new password. */;
CREATE TABLE IF NOT EXISTS "sessions" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "fingerprint" VARCHAR(64) NOT NULL UNIQUE,
    "user_agent" TEXT,
    "expires_at" TIMESTAMP NOT NULL,
    "last_seen_at" TIMESTAMP NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "user_id" CHAR(36) NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE
) /* A signed-in browser; the cookie carries a secret whose fingerprint stands here. */;
CREATE TABLE IF NOT EXISTS "organization_members" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "role" VARCHAR(16) NOT NULL,
    "all_boards_read" INT NOT NULL,
    "all_boards_write" INT NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
    "user_id" CHAR(36) NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_organizatio_organiz_043440" UNIQUE ("organization_id", "user_id"),
    CONSTRAINT "ck_organization_members_role" CHECK ("role" IN ('owner', 'admin', 'member'))
) /* A person's place in an organization: owner, admin or member. */;
CREATE TABLE IF NOT EXISTS "boards" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "slug" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "gateway_id" CHAR(36),
    "board_group_id" CHAR(36),
    "board_type" VARCHAR(64) NOT NULL,
    "objective" TEXT,
    "success_metrics" JSON,
    "target_date" TIMESTAMP,
    "goal_confirmed" INT NOT NULL,
    "goal_source" TEXT,
    "require_approval_for_done" INT NOT NULL,
    "require_review_before_done" INT NOT NULL,
    "comment_required_for_review" INT NOT NULL,
    "block_status_changes_with_pending_approval" INT NOT NULL,
    "only_lead_can_change_status" INT NOT NULL,
    "max_agents" INT NOT NULL,
    "task_count" INT NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
    CONSTRAINT "ck_boards_max_agents" CHECK ("max_agents" >= 0)
) /* A board with its rules. */;
CREATE INDEX IF NOT EXISTS "idx_boards_gateway_a9d5fc" ON "boards" ("gateway_id");
CREATE INDEX IF NOT EXISTS "idx_boards_board_g_80f31f" ON "boards" ("board_group_id");
CREATE INDEX IF NOT EXISTS "idx_boards_organiz_7824b7" ON "boards" ("organization_id", "created_at");
CREATE TABLE IF NOT EXISTS "organization_board_access" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "can_read" INT NOT NULL,
    "can_write" INT NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "organization_member_id" CHAR(36) NOT NULL REFERENCES "organization_members" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_organizatio_organiz_ad50cc" UNIQUE ("organization_member_id", "board_id")
) /* What a member without an all-boards flag may do on one board. */;
CREATE TABLE IF NOT EXISTS "agents" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "gateway_id" CHAR(36),
    "name" TEXT NOT NULL,
    "status" VARCHAR(64) NOT NULL,
    "is_board_lead" INT NOT NULL,
    "heartbeat_config" JSON,
    "identity_profile" JSON,
    "identity_template" TEXT,
    "soul_template" TEXT,
    "openclaw_session_id" TEXT,
    "last_seen_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "board_id" CHAR(36) REFERENCES "boards" ("id") ON DELETE CASCADE,
    "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE
) /* A lead or worker of a board. Without a gateway it is a direct agent: any program with a token. */;
CREATE INDEX IF NOT EXISTS "idx_agents_gateway_f91501" ON "agents" ("gateway_id");
CREATE INDEX IF NOT EXISTS "idx_agents_organiz_126e9d" ON "agents" ("organization_id", "created_at");
CREATE INDEX IF NOT EXISTS "idx_agents_board_i_cdbee1" ON "agents" ("board_id", "created_at");
CREATE INDEX IF NOT EXISTS "idx_agents_last_se_8902f3" ON "agents" ("last_seen_at");
CREATE TABLE IF NOT EXISTS "tokens" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "prefix" VARCHAR(16) NOT NULL,
    "fingerprint" VARCHAR(64) NOT NULL UNIQUE,
    "scopes" JSON,
    "expires_at" TIMESTAMP,
    "revoked_at" TIMESTAMP,
    "last_used_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE CASCADE,
    "user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE CASCADE,
    CONSTRAINT "ck_tokens_one_owner" CHECK (("user_id" IS NULL) <> ("agent_id" IS NULL))
) /* A bearer secret of one person (`mcu_`) or one agent (`mca_`); only its fingerprint is kept. */;
CREATE TABLE IF NOT EXISTS "approvals" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "action_type" TEXT NOT NULL,
    "payload" JSON,
    "confidence" REAL NOT NULL,
    "rubric_scores" JSON,
    "status" VARCHAR(16) NOT NULL,
    "decision" VARCHAR(32),
    "note" TEXT,
    "resolved_by_kind" VARCHAR(16),
    "resolved_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE SET NULL,
    "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "requested_by_user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL,
    "resolved_by_user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL,
    CONSTRAINT "ck_approvals_status" CHECK ("status" IN ('pending', 'approved', 'rejected')),
    CONSTRAINT "ck_approvals_confidence" CHECK ("confidence" >= 0 AND "confidence" <= 100),
    CONSTRAINT "ck_approvals_resolved" CHECK (("status" = 'pending') = ("resolved_at" IS NULL))
) /* One request for a decision. `decision` tells a rejection from work sent back for changes. */;
CREATE INDEX IF NOT EXISTS "idx_approvals_board_i_ce4637" ON "approvals" ("board_id", "created_at");
CREATE INDEX IF NOT EXISTS "idx_approvals_status_726dae" ON "approvals" ("status", "created_at");
CREATE TABLE IF NOT EXISTS "tasks" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "number" INT NOT NULL,
    "title" TEXT NOT NULL,
    "description" TEXT,
    "status" VARCHAR(16) NOT NULL,
    "priority" VARCHAR(64) NOT NULL,
    "position" REAL NOT NULL,
    "due_at" TIMESTAMP,
    "in_progress_at" TIMESTAMP,
    "previous_in_progress_at" TIMESTAMP,
    "review_agent_id" CHAR(36),
    "auto_created" INT NOT NULL,
    "auto_reason" TEXT,
    "deleted_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "assigned_agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE SET NULL,
    "assigned_user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL,
    "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "created_by_user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL,
    CONSTRAINT "uid_tasks_board_i_df1159" UNIQUE ("board_id", "number"),
    CONSTRAINT "ck_tasks_status" CHECK ("status" IN ('inbox', 'in_progress', 'review', 'done')),
    CONSTRAINT "ck_tasks_one_assignee" CHECK ("assigned_agent_id" IS NULL OR "assigned_user_id" IS NULL)
) /* A card on a board. A deleted one keeps its row with `deleted_at` set. */;
CREATE INDEX IF NOT EXISTS "idx_tasks_board_i_f56674" ON "tasks" ("board_id", "created_at");
CREATE INDEX IF NOT EXISTS "idx_tasks_board_i_843601" ON "tasks" ("board_id", "status", "position");
CREATE INDEX IF NOT EXISTS "idx_tasks_assigne_2d3aae" ON "tasks" ("assigned_agent_id", "status");
CREATE TABLE IF NOT EXISTS "approval_task_links" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "is_pending" INT NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "approval_id" CHAR(36) NOT NULL REFERENCES "approvals" ("id") ON DELETE CASCADE,
    "task_id" CHAR(36) NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_approval_ta_approva_b3b269" UNIQUE ("approval_id", "task_id")
) /* A task that an approval is about. `is_pending` repeats the approval's state for a unique index. */;
CREATE INDEX IF NOT EXISTS "idx_approval_ta_task_id_52d113" ON "approval_task_links" ("task_id");
CREATE TABLE IF NOT EXISTS "task_comments" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "author_name" TEXT,
    "message" TEXT NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE SET NULL,
    "task_id" CHAR(36) NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    "user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL
) /* Something said about a task by an agent or a person; its id is the id of its event. */;
CREATE INDEX IF NOT EXISTS "idx_task_commen_task_id_66789a" ON "task_comments" ("task_id", "created_at");
CREATE TABLE IF NOT EXISTS "task_dependencies" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMP NOT NULL,
    "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "depends_on_task_id" CHAR(36) NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    "task_id" CHAR(36) NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_task_depend_task_id_2df13a" UNIQUE ("task_id", "depends_on_task_id"),
    CONSTRAINT "ck_task_dependencies_not_itself" CHECK ("task_id" <> "depends_on_task_id")
) /* An edge: `task` waits for `depends_on_task` to be done. */;
CREATE TABLE IF NOT EXISTS "events" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "organization_id" CHAR(36) NOT NULL,
    "seq" BIGINT NOT NULL,
    "kind" VARCHAR(96) NOT NULL,
    "actor_kind" VARCHAR(16) NOT NULL,
    "actor_id" CHAR(36),
    "actor_name" TEXT,
    "surface" VARCHAR(16) NOT NULL,
    "board_id" CHAR(36),
    "task_id" CHAR(36),
    "agent_id" CHAR(36),
    "subject_id" CHAR(36),
    "message" TEXT,
    "data" TEXT NOT NULL,
    "request_id" VARCHAR(200),
    "prev_hash" VARCHAR(64) NOT NULL,
    "hash" VARCHAR(64) NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    CONSTRAINT "uid_events_organiz_e54d00" UNIQUE ("organization_id", "seq")
) /* A fact in the past tense, numbered without a hole per organization and chained by hash. */;
CREATE INDEX IF NOT EXISTS "idx_events_board_i_102a6a" ON "events" ("board_id", "seq");
CREATE INDEX IF NOT EXISTS "idx_events_task_id_ba8a7c" ON "events" ("task_id", "seq");
CREATE INDEX IF NOT EXISTS "idx_events_agent_i_345dfa" ON "events" ("agent_id", "seq");
CREATE INDEX IF NOT EXISTS "idx_events_organiz_263e49" ON "events" ("organization_id", "created_at");
CREATE TABLE IF NOT EXISTS "deliveries" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "kind" VARCHAR(64) NOT NULL,
    "board_id" CHAR(36),
    "task_id" CHAR(36),
    "header" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "data" JSON NOT NULL,
    "state" VARCHAR(16) NOT NULL,
    "attempts" INT NOT NULL,
    "due_at" TIMESTAMP NOT NULL,
    "leased_by" VARCHAR(64),
    "leased_until" TIMESTAMP,
    "last_error" TEXT,
    "sent_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE CASCADE,
    "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
    CONSTRAINT "ck_deliveries_state" CHECK ("state" IN ('waiting', 'sending', 'sent', 'failed'))
) /* A message on its way: `waiting`, `sending` under a lease, `sent`, or `failed` for good. */;
CREATE INDEX IF NOT EXISTS "idx_deliveries_state_5f901b" ON "deliveries" ("state", "kind", "due_at");
CREATE INDEX IF NOT EXISTS "idx_deliveries_agent_i_53505e" ON "deliveries" ("agent_id", "state", "created_at");
CREATE TABLE IF NOT EXISTS "aerich" (
    "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    "version" VARCHAR(255) NOT NULL,
    "app" VARCHAR(100) NOT NULL,
    "content" JSON NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS "uid_users_email" ON "users" (LOWER("email"));
CREATE UNIQUE INDEX IF NOT EXISTS "uid_agents_board_lead" ON "agents" ("board_id") WHERE "is_board_lead";
CREATE UNIQUE INDEX IF NOT EXISTS "uid_agents_board_name" ON "agents" ("board_id", LOWER("name"));
CREATE UNIQUE INDEX IF NOT EXISTS "uid_approval_task_links_pending" ON "approval_task_links" ("task_id") WHERE "is_pending";
CREATE INDEX IF NOT EXISTS "idx_tokens_agent" ON "tokens" ("agent_id");
CREATE INDEX IF NOT EXISTS "idx_tokens_user" ON "tokens" ("user_id");
CREATE INDEX IF NOT EXISTS "idx_sessions_user" ON "sessions" ("user_id");
CREATE INDEX IF NOT EXISTS "idx_members_user" ON "organization_members" ("user_id");
CREATE INDEX IF NOT EXISTS "idx_board_access_board" ON "organization_board_access" ("board_id");
CREATE INDEX IF NOT EXISTS "idx_task_dependencies_waited_for" ON "task_dependencies" ("depends_on_task_id");
CREATE INDEX IF NOT EXISTS "idx_task_dependencies_board" ON "task_dependencies" ("board_id");
CREATE INDEX IF NOT EXISTS "idx_tasks_board_live" ON "tasks" ("board_id", "created_at", "id") WHERE "deleted_at" IS NULL;
CREATE INDEX IF NOT EXISTS "idx_deliveries_organization" ON "deliveries" ("organization_id");
    """,
    "postgres": """
        CREATE TABLE IF NOT EXISTS "account_events" (
    "id" UUID NOT NULL PRIMARY KEY,
    "seq" BIGINT NOT NULL UNIQUE,
    "kind" VARCHAR(64) NOT NULL,
    "user_id" UUID,
    "actor_id" UUID,
    "data" TEXT NOT NULL,
    "prev_hash" VARCHAR(64) NOT NULL,
    "hash" VARCHAR(64) NOT NULL,
    "created_at" TIMESTAMP NOT NULL
);
CREATE INDEX IF NOT EXISTS "idx_account_eve_user_id_bd4e3c" ON "account_events" ("user_id", "seq");
COMMENT ON TABLE "account_events" IS 'One entry of the account log: sign-ins, passwords, tokens. Numbered and chained like events.';
CREATE TABLE IF NOT EXISTS "instance_settings" (
    "name" VARCHAR(64) NOT NULL PRIMARY KEY,
    "value" TEXT NOT NULL
);
COMMENT ON TABLE "instance_settings" IS 'One value of the whole installation, such as the setup code''s fingerprint.';
CREATE TABLE IF NOT EXISTS "organizations" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "is_demo" BOOL NOT NULL,
    "log_seq" BIGINT NOT NULL,
    "log_hash" VARCHAR(64) NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL
);
COMMENT ON TABLE "organizations" IS 'Everything that belongs together: boards, agents, members, and one event log.';
CREATE TABLE IF NOT EXISTS "users" (
    "id" UUID NOT NULL PRIMARY KEY,
    "clerk_user_id" VARCHAR(255) NOT NULL UNIQUE,
    "email" VARCHAR(320),
    "name" TEXT,
    "preferred_name" TEXT,
    "pronouns" TEXT,
    "timezone" TEXT,
    "notes" TEXT,
    "context" TEXT,
    "is_super_admin" BOOL NOT NULL,
    "password_hash" TEXT,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "active_organization_id" UUID REFERENCES "organizations" ("id") ON DELETE SET NULL
);
COMMENT ON TABLE "users" IS 'A person.';
CREATE TABLE IF NOT EXISTS "password_resets" (
    "id" UUID NOT NULL PRIMARY KEY,
    "fingerprint" VARCHAR(64) NOT NULL UNIQUE,
    "expires_at" TIMESTAMP NOT NULL,
    "used_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE
);
COMMENT ON TABLE "password_resets" IS 'A one-time link with which a person sets a new password.';
CREATE TABLE IF NOT EXISTS "sessions" (
    "id" UUID NOT NULL PRIMARY KEY,
    "fingerprint" VARCHAR(64) NOT NULL UNIQUE,
    "user_agent" TEXT,
    "expires_at" TIMESTAMP NOT NULL,
    "last_seen_at" TIMESTAMP NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE
);
COMMENT ON TABLE "sessions" IS 'A signed-in browser; the cookie carries a secret whose fingerprint stands here.';
CREATE TABLE IF NOT EXISTS "organization_members" (
    "id" UUID NOT NULL PRIMARY KEY,
    "role" VARCHAR(16) NOT NULL,
    "all_boards_read" BOOL NOT NULL,
    "all_boards_write" BOOL NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
    "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_organizatio_organiz_043440" UNIQUE ("organization_id", "user_id"),
    CONSTRAINT "ck_organization_members_role" CHECK ("role" IN ('owner', 'admin', 'member'))
);
COMMENT ON TABLE "organization_members" IS 'A person''s place in an organization: owner, admin or member.';
CREATE TABLE IF NOT EXISTS "boards" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "slug" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "gateway_id" UUID,
    "board_group_id" UUID,
    "board_type" VARCHAR(64) NOT NULL,
    "objective" TEXT,
    "success_metrics" JSONB,
    "target_date" TIMESTAMP,
    "goal_confirmed" BOOL NOT NULL,
    "goal_source" TEXT,
    "require_approval_for_done" BOOL NOT NULL,
    "require_review_before_done" BOOL NOT NULL,
    "comment_required_for_review" BOOL NOT NULL,
    "block_status_changes_with_pending_approval" BOOL NOT NULL,
    "only_lead_can_change_status" BOOL NOT NULL,
    "max_agents" INT NOT NULL,
    "task_count" INT NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
    CONSTRAINT "ck_boards_max_agents" CHECK ("max_agents" >= 0)
);
CREATE INDEX IF NOT EXISTS "idx_boards_gateway_a9d5fc" ON "boards" ("gateway_id");
CREATE INDEX IF NOT EXISTS "idx_boards_board_g_80f31f" ON "boards" ("board_group_id");
CREATE INDEX IF NOT EXISTS "idx_boards_organiz_7824b7" ON "boards" ("organization_id", "created_at");
COMMENT ON TABLE "boards" IS 'A board with its rules.';
CREATE TABLE IF NOT EXISTS "organization_board_access" (
    "id" UUID NOT NULL PRIMARY KEY,
    "can_read" BOOL NOT NULL,
    "can_write" BOOL NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "organization_member_id" UUID NOT NULL REFERENCES "organization_members" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_organizatio_organiz_ad50cc" UNIQUE ("organization_member_id", "board_id")
);
COMMENT ON TABLE "organization_board_access" IS 'What a member without an all-boards flag may do on one board.';
CREATE TABLE IF NOT EXISTS "agents" (
    "id" UUID NOT NULL PRIMARY KEY,
    "gateway_id" UUID,
    "name" TEXT NOT NULL,
    "status" VARCHAR(64) NOT NULL,
    "is_board_lead" BOOL NOT NULL,
    "heartbeat_config" JSONB,
    "identity_profile" JSONB,
    "identity_template" TEXT,
    "soul_template" TEXT,
    "openclaw_session_id" TEXT,
    "last_seen_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "board_id" UUID REFERENCES "boards" ("id") ON DELETE CASCADE,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS "idx_agents_gateway_f91501" ON "agents" ("gateway_id");
CREATE INDEX IF NOT EXISTS "idx_agents_organiz_126e9d" ON "agents" ("organization_id", "created_at");
CREATE INDEX IF NOT EXISTS "idx_agents_board_i_cdbee1" ON "agents" ("board_id", "created_at");
CREATE INDEX IF NOT EXISTS "idx_agents_last_se_8902f3" ON "agents" ("last_seen_at");
COMMENT ON TABLE "agents" IS 'A lead or worker of a board. Without a gateway it is a direct agent: any program with a token.';
CREATE TABLE IF NOT EXISTS "tokens" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "prefix" VARCHAR(16) NOT NULL,
    "fingerprint" VARCHAR(64) NOT NULL UNIQUE,
    "scopes" JSONB,
    "expires_at" TIMESTAMP,
    "revoked_at" TIMESTAMP,
    "last_used_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "agent_id" UUID REFERENCES "agents" ("id") ON DELETE CASCADE,
    "user_id" UUID REFERENCES "users" ("id") ON DELETE CASCADE,
    CONSTRAINT "ck_tokens_one_owner" CHECK (("user_id" IS NULL) <> ("agent_id" IS NULL))
);
COMMENT ON TABLE "tokens" IS 'A bearer secret of one person (`mcu_`) or one agent (`mca_`); only its fingerprint is kept.';
CREATE TABLE IF NOT EXISTS "approvals" (
    "id" UUID NOT NULL PRIMARY KEY,
    "action_type" TEXT NOT NULL,
    "payload" JSONB,
    "confidence" DOUBLE PRECISION NOT NULL,
    "rubric_scores" JSONB,
    "status" VARCHAR(16) NOT NULL,
    "decision" VARCHAR(32),
    "note" TEXT,
    "resolved_by_kind" VARCHAR(16),
    "resolved_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "agent_id" UUID REFERENCES "agents" ("id") ON DELETE SET NULL,
    "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "requested_by_user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL,
    "resolved_by_user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL,
    CONSTRAINT "ck_approvals_status" CHECK ("status" IN ('pending', 'approved', 'rejected')),
    CONSTRAINT "ck_approvals_confidence" CHECK ("confidence" >= 0 AND "confidence" <= 100),
    CONSTRAINT "ck_approvals_resolved" CHECK (("status" = 'pending') = ("resolved_at" IS NULL))
);
CREATE INDEX IF NOT EXISTS "idx_approvals_board_i_ce4637" ON "approvals" ("board_id", "created_at");
CREATE INDEX IF NOT EXISTS "idx_approvals_status_726dae" ON "approvals" ("status", "created_at");
COMMENT ON TABLE "approvals" IS 'One request for a decision. `decision` tells a rejection from work sent back for changes.';
CREATE TABLE IF NOT EXISTS "tasks" (
    "id" UUID NOT NULL PRIMARY KEY,
    "number" INT NOT NULL,
    "title" TEXT NOT NULL,
    "description" TEXT,
    "status" VARCHAR(16) NOT NULL,
    "priority" VARCHAR(64) NOT NULL,
    "position" DOUBLE PRECISION NOT NULL,
    "due_at" TIMESTAMP,
    "in_progress_at" TIMESTAMP,
    "previous_in_progress_at" TIMESTAMP,
    "review_agent_id" UUID,
    "auto_created" BOOL NOT NULL,
    "auto_reason" TEXT,
    "deleted_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "assigned_agent_id" UUID REFERENCES "agents" ("id") ON DELETE SET NULL,
    "assigned_user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL,
    "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "created_by_user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL,
    CONSTRAINT "uid_tasks_board_i_df1159" UNIQUE ("board_id", "number"),
    CONSTRAINT "ck_tasks_status" CHECK ("status" IN ('inbox', 'in_progress', 'review', 'done')),
    CONSTRAINT "ck_tasks_one_assignee" CHECK ("assigned_agent_id" IS NULL OR "assigned_user_id" IS NULL)
);
CREATE INDEX IF NOT EXISTS "idx_tasks_board_i_f56674" ON "tasks" ("board_id", "created_at");
CREATE INDEX IF NOT EXISTS "idx_tasks_board_i_843601" ON "tasks" ("board_id", "status", "position");
CREATE INDEX IF NOT EXISTS "idx_tasks_assigne_2d3aae" ON "tasks" ("assigned_agent_id", "status");
COMMENT ON TABLE "tasks" IS 'A card on a board. A deleted one keeps its row with `deleted_at` set.';
CREATE TABLE IF NOT EXISTS "approval_task_links" (
    "id" UUID NOT NULL PRIMARY KEY,
    "is_pending" BOOL NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "approval_id" UUID NOT NULL REFERENCES "approvals" ("id") ON DELETE CASCADE,
    "task_id" UUID NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_approval_ta_approva_b3b269" UNIQUE ("approval_id", "task_id")
);
CREATE INDEX IF NOT EXISTS "idx_approval_ta_task_id_52d113" ON "approval_task_links" ("task_id");
COMMENT ON TABLE "approval_task_links" IS 'A task that an approval is about. `is_pending` repeats the approval''s state for a unique index.';
CREATE TABLE IF NOT EXISTS "task_comments" (
    "id" UUID NOT NULL PRIMARY KEY,
    "author_name" TEXT,
    "message" TEXT NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "agent_id" UUID REFERENCES "agents" ("id") ON DELETE SET NULL,
    "task_id" UUID NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    "user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL
);
CREATE INDEX IF NOT EXISTS "idx_task_commen_task_id_66789a" ON "task_comments" ("task_id", "created_at");
COMMENT ON TABLE "task_comments" IS 'Something said about a task by an agent or a person; its id is the id of its event.';
CREATE TABLE IF NOT EXISTS "task_dependencies" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMP NOT NULL,
    "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "depends_on_task_id" UUID NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    "task_id" UUID NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_task_depend_task_id_2df13a" UNIQUE ("task_id", "depends_on_task_id"),
    CONSTRAINT "ck_task_dependencies_not_itself" CHECK ("task_id" <> "depends_on_task_id")
);
COMMENT ON TABLE "task_dependencies" IS 'An edge: `task` waits for `depends_on_task` to be done.';
CREATE TABLE IF NOT EXISTS "events" (
    "id" UUID NOT NULL PRIMARY KEY,
    "organization_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "kind" VARCHAR(96) NOT NULL,
    "actor_kind" VARCHAR(16) NOT NULL,
    "actor_id" UUID,
    "actor_name" TEXT,
    "surface" VARCHAR(16) NOT NULL,
    "board_id" UUID,
    "task_id" UUID,
    "agent_id" UUID,
    "subject_id" UUID,
    "message" TEXT,
    "data" TEXT NOT NULL,
    "request_id" VARCHAR(200),
    "prev_hash" VARCHAR(64) NOT NULL,
    "hash" VARCHAR(64) NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    CONSTRAINT "uid_events_organiz_e54d00" UNIQUE ("organization_id", "seq")
);
CREATE INDEX IF NOT EXISTS "idx_events_board_i_102a6a" ON "events" ("board_id", "seq");
CREATE INDEX IF NOT EXISTS "idx_events_task_id_ba8a7c" ON "events" ("task_id", "seq");
CREATE INDEX IF NOT EXISTS "idx_events_agent_i_345dfa" ON "events" ("agent_id", "seq");
CREATE INDEX IF NOT EXISTS "idx_events_organiz_263e49" ON "events" ("organization_id", "created_at");
COMMENT ON TABLE "events" IS 'A fact in the past tense, numbered without a hole per organization and chained by hash.';
CREATE TABLE IF NOT EXISTS "deliveries" (
    "id" UUID NOT NULL PRIMARY KEY,
    "kind" VARCHAR(64) NOT NULL,
    "board_id" UUID,
    "task_id" UUID,
    "header" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "state" VARCHAR(16) NOT NULL,
    "attempts" INT NOT NULL,
    "due_at" TIMESTAMP NOT NULL,
    "leased_by" VARCHAR(64),
    "leased_until" TIMESTAMP,
    "last_error" TEXT,
    "sent_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "agent_id" UUID REFERENCES "agents" ("id") ON DELETE CASCADE,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
    CONSTRAINT "ck_deliveries_state" CHECK ("state" IN ('waiting', 'sending', 'sent', 'failed'))
);
CREATE INDEX IF NOT EXISTS "idx_deliveries_state_5f901b" ON "deliveries" ("state", "kind", "due_at");
CREATE INDEX IF NOT EXISTS "idx_deliveries_agent_i_53505e" ON "deliveries" ("agent_id", "state", "created_at");
COMMENT ON TABLE "deliveries" IS 'A message on its way: `waiting`, `sending` under a lease, `sent`, or `failed` for good.';
CREATE TABLE IF NOT EXISTS "aerich" (
    "id" SERIAL NOT NULL PRIMARY KEY,
    "version" VARCHAR(255) NOT NULL,
    "app" VARCHAR(100) NOT NULL,
    "content" JSONB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS "uid_users_email" ON "users" (LOWER("email"));
CREATE UNIQUE INDEX IF NOT EXISTS "uid_agents_board_lead" ON "agents" ("board_id") WHERE "is_board_lead";
CREATE UNIQUE INDEX IF NOT EXISTS "uid_agents_board_name" ON "agents" ("board_id", LOWER("name"));
CREATE UNIQUE INDEX IF NOT EXISTS "uid_approval_task_links_pending" ON "approval_task_links" ("task_id") WHERE "is_pending";
CREATE INDEX IF NOT EXISTS "idx_tokens_agent" ON "tokens" ("agent_id");
CREATE INDEX IF NOT EXISTS "idx_tokens_user" ON "tokens" ("user_id");
CREATE INDEX IF NOT EXISTS "idx_sessions_user" ON "sessions" ("user_id");
CREATE INDEX IF NOT EXISTS "idx_members_user" ON "organization_members" ("user_id");
CREATE INDEX IF NOT EXISTS "idx_board_access_board" ON "organization_board_access" ("board_id");
CREATE INDEX IF NOT EXISTS "idx_task_dependencies_waited_for" ON "task_dependencies" ("depends_on_task_id");
CREATE INDEX IF NOT EXISTS "idx_task_dependencies_board" ON "task_dependencies" ("board_id");
CREATE INDEX IF NOT EXISTS "idx_tasks_board_live" ON "tasks" ("board_id", "created_at", "id") WHERE "deleted_at" IS NULL;
CREATE INDEX IF NOT EXISTS "idx_deliveries_organization" ON "deliveries" ("organization_id");
    """,
}

DOWN = {
    "sqlite": """
        
    """,
    "postgres": """
        
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]


MODELS_STATE = (
    "eJztXVtz2ziy/isovUymSnE5dhw7ma1TZSeeWe9J4qnE2dk6O1s0REISVhShEKQVbzb//QAgKfECUgRN3ajOS2QCDZ"
    "Jfgw30Fd97U+YQlx9d2jYLveD6gXhB7w363vPwlIgf2vY+6uHZbNkqLwR44CoCHPW0iOyqmvCABz625bhD7HIiLjmE"
    "2z6dBZR5kubWI0j09h8RG6JgTFA8CHLZ6A3idOQ9px7voxnmfM58R/wM2IR4/Ah9DKcD4hMHYc9B9hhTT/x26UQMqB"
    "7gSD6Bw2zxCNQbbeJmoUe/hsQK2IiI0X1xy3/+S1ymnkO+ES7//N4bUuI66ncv5MS3qCMpOfnak13Jt5lPOBfg8IQ6"
    "ZocXuq4E+3GmsO6pzgJc9ccP2XE2sdTgGSZGw6vrVkL75cvNu19VTwnQwLKZG069Ze/ZYzBm3qJ7GFLnSNLIthHxiI"
    "8D4qRYKh8tngPJpQgJcSHwQ7KAwFlecMgQh66cGL2/DEPPlvMBTal6dfFAgknMPbKZT46ow488MhdA/U/8vClay/p4"
    "e2d9vr6zrF5hcsWQpadAfEncQE5MKqepQOtHNO4SJXW1J2/w9q+Xn56dvvpZ4cJ4MPJVo8Kw90MR4gBbS64uoZc8LW"
    "B/RUc3XqBHPybIwU+jz6594BN41gCoeFrx3/PXJyenp+cnx6evLs5enp+fXRxfiL7qeYtN5xVcuLr57ebjnXwgJsRJ"
    "JG3kBcmAJeAT8bJFxN+Osa/HO+mfA1y8SBPAkwtLxJcibxOQT/E3yyXeKBiLP1+9rEDz75ef1LR+9fLnLKQf45YT1Z"
    "QFNyWs6kqTFMkTREo8b3cF56fIiiWaYk1kpnCmaQDPLJ5SCBexvBMrpB7LpP/mPv3e9x9bWL7urv+hxOaU869u+hN/"
    "9uHyHwrY6WPc8v72429J95RIePv+9ioHttiiPFhjzMcmwjZDBBK3hsQ1RRjANQDX9okEw8KBRgQH9jvRGNAp0SOdJc"
    "7h7cSkR8mPtUmUFRtn22X25Mhj823sm+9uPlx/vrv88HtG+ry7vLuWLScZyZNcffYqx8DFIOiPm7u/Ivkn+r/bj9c9"
    "eWMcBswSb2dhJ41Pcjm5pFSj4SS1Q5cXBtiezLHvWIUWdsLK+habpifT/BXs4ZFimIRMPmesRt8I5LBnk88kCCJMC5"
    "p2vku/StmmcWeLR70N9O0H7IYkUYHnY+YSpEYT01F26yMe2mOEuWoXw4czZIsH+ImjobgR8WdiUgR67bq9oVfr0qU6"
    "r/rfQHAm/dsRnNtVvNYiNst1XMVvk43XgqATq9Qmdl47Ir9+j21in4j4bHXSK9uhUnYl9jXLl31rSq5LxDzyXC6oyK"
    "XeBM1pMBYihkp5gmbE52IdlKOJvzwyX9jwinLqKQM9QSqBJW5rlrjU2mKyLuTIYHlYuasm32ZUsKXZrjpLvK1d9ZZW"
    "i53ZLudsfg01pBRlC4zcH5PVbvIRlN1D5PrWLPZ7JHdXbCoKe+8sukVofxVzkY68/yWPCuBEo9cAGu+av8TD7Ceky6"
    "tLKe3j+WL3m55Q4t3FG5Mg2nRdfn57+e46clxvXpn5HPnYexo1JmmqVGB44qOvqbnI0ALiPKceGvhsLjD5RRlAbMYm"
    "VPyHfZ8SqW9wIqRtIA0nnKQtIkhOI4cjoXIQnULT+vig54CeA3pOtTNciBYdzuW2ryxVI5j3aCe8Ds8j6Jed2qG6mA"
    "cWJ8RrxtA8Oegme8N50EgPkeugkYJGChqpViO9k3HmPY0+GjX0q7TRKEa9ri46INgnfqIKsqH0hiVur2f3Uzu07n9G"
    "zFeX1WZVXcXi6i/imvuIaJDx1iPK0YTMNAEBa74X6Kj7qKPqgzPKlaZ2gzNqLezbWK/XFKc5pN9MLAFLik6EZ2TNAC"
    "9e1TADvMhvgpZmANmUBRjsLRuyt3CbyTEKGP/t8+3HklyaBUVeP6B2gP6LXMrrpNXsj71FQlEtQfLCIie75QC7bW/Z"
    "H2bspvrlkwexU2yodGeJgZtb56ayfjWP0MiTA0e3zlEwih0i15Xea5oKmKKBVEBIVO2ojXE3EX26ibHw+bcA6WUyTj"
    "cxTUu8XbLbqpmsMdsmM7zcaitnSW2jbWQz1ZlYUy1gEN1Hg6jYV/gTq3TVKjcjFQg7Z0g6OTurYUkSvUpNSaotZ9OY"
    "Yuqa4Lwg6ELEThbg05PjGgCLXqUAq7YswBu18O8YvNsw8RPfF3qfKepFSsC/Cf7MY6GnMU1XIb+kAczNMZf2i/8wz2"
    "i2p2kAc3PMPRbo/C8VQj0hALTN0ZYbW4GsCd4pEkDcHHHKLR7OZHi2M6VeEfgrxlyCvRJ1qECcY8FAUK/L4rq4slku"
    "XN3evs9w4eomD/OXD1fXn569UCwRnWikrxfL9i2qAegLHlUspHlCmPkNZA04HQ7Q6RDOnOZczxID1/eG61jA9UAs5o"
    "+wR/+jKjKZ16AsGQEcJ5WOEw1wLRj9b3PD7SXQq23/pZMu4wkQj4M+fnn/fluugCsmhri0bcKjCZPzCKSb+1WOgcx7"
    "DiSVhZdkK50Ff4xxgDCaElmwXBU3YqG44CHsus/VcBwNXTxCU/yIHIaE/JTh16ql6GB48mgap8Q/s68YjS37Kqrev8"
    "BpsRPSrF/ltMCeJfZ+GgZUakppsg3qSAlf9lZFkrjNfdlsjveCDpRSE8RBLTrADTKoRYfI9WiPZbabSNNAYmpOeGq2"
    "d4bwlo8AYFcrmiVb6ycqmh8WA+0nxit1zPIJtzqEL1Jbng7yVTJORzFOy8xdiuGLJ7dGZ19O+5rqejRzDMP6fuJo5m"
    "JblkqXmnV6wDeIzcVc6CPlWpKp0tEdyiMBmw62Uk9XnWRUI+jnu7EI9Cv0c/EGRiXwk/4bzLJerk37mPqLXTeyzfEm"
    "dhANNWjnBtp5Cr8mZhEdOeAP1hHQk8E6AlzPcf0J3uJ23cQ7qvbsa7pid+CsaQ1pQUM39LfvKMRmxpC6VhAoP9dKbu"
    "h2TCCZia0xhOQnfj1zSE07yPUD8cVcEPCiQIYbDIjLvBFHiS3iTRROwPtRjTjxf2xm6avT2GW8gTqEXR7jXjSMtD46"
    "pFnuo0Vk9+vOdSiomHLxDlNmqJanqEAbN9DGhWCyOPmqQZuObryS+Z0iyoFNa9URaIT18ZpwFg8r/nv++uTk9PT85P"
    "j01cXZy/Pzs4vjC9FXPW6x6byKOTe/SZgz7NDjbnpIc5pmg8bW4yf+24yZFo55BpMFGKqA63t3uHfkuS8L+q5WmCLt"
    "o56mdBnpKtGRtbI2th+6hGsrb5f1W629fO8t31pnCkiJRUlJvs385DiseLAYhHheJd9OT3UWb6j++AFKEihJB60kcT"
    "ccmYCd9AewG4CdfkwDzHNkUITeGPiRAGaOHw1dHFmqteYWbrK8VTsuoyiObuSzcNYoajlNCdBqoFVoFGAtV+qzVBsU"
    "EiOG3X1Vzdng30QldprI4wwRlHtosOkIVSqpNSXiuWyzIxWKpHC2QvOzFQLsCxXMkoaEBlaKHDVUb9+60UnKYqkGDq"
    "k/JaYBoUVi8IAYeEAUfJyFvm20muTIYD0xX0988jWkPrHwbOazBwHnkPmWo63OV/kBVI4DqeL1P4UESJ88UDK3BkQA"
    "SZ7CEf1AIJ5MwqXZdCrLl8eQOmpyR7gaMmXFSMAVA64MpAvF4gEOQm7ZY+yNCLekxdyaEc8Rz7cQRoZMMhsYeGbAM3"
    "koqFBKsWPJ0hYRtjHShkxaMRJwxYAr0lIQBc8VmVAagJIl2lwMyos1QR3HoJy8eHn+8uL01ctF6MniSlXESRHUAPOJ"
    "gCvUnQ5SCmqWqDOBPa2BCvEgh6iaQzzIIXIdEpcg02bX00FqZ9psJ67pMtFTNKFNlykdpjy6KdF0agY43XoESd2W8A"
    "AJ1RZh5BCbSnF3hO6Tn/coIK7LRaNPlDtICMWhz6ZozvwJ4jJXQ76+GiBWv4ohUmu9k2GQVbowSkvRVVIQpu6wVGwg"
    "equz0VtYvVSJ97rcCp4jg/CiJucA4UeX6cqAlLtTUyTgRm3uRlVOM4d4Os/PrwLg8vNSUmQ5BgwlXbdm/bvbL1fvr9"
    "Hvn67f3ny+ifmw2JOrxqyV59P15fu8ayEc+NS2uJSSRpEDBUKY8M0nfJm1szw8qdSquc7QpNjUva4VdN31nZIdoAnO"
    "aZou+JLzZ0XWwPj0pOKkyMJBkUwX+lJ9plhXsN28n54z90Hs+weP1kS8s8m81tF2gQfrliEL3BrZHXPUEOG1dYMiOA"
    "8OkevgPDhErivPtOnhWCkaOA5Ll1gBNfZbAzS2XUe7sgZF5MroYeKWb5wbwawlB5QrnYlQUb+e+3B1Rf3CmtYCqpfJ"
    "OHs5U1cfN5haxksOGKwUxC0gXLMI4p4CXLb01AI7K04B65VYa9efnTo4M4kkuMN80quINFDt/TrRBpaKg3SpN6ldWE"
    "VSRAUi5eGW8TiIcoQHLAyO0D3lSfj2PfLJTGjzXPQni74/cSQN7SSOJogmClLTQ1egZe330x7okQ48l09QOMwjEzWg"
    "UBQTBgIFuhUosJxaRRasqtCYIoS0LDgxAaxIlVakZD0yNCRlycD2oUuNMIM0RQJwrjiqvjTrzVxTTA21n9Cu1haz3+"
    "pqLTyId7FPhDbZDHcU1tT3ulMB0cr0odNREptIhXKySHaro4/I1ER5RJ+MNCY+YkOxx1fmniP0BxUTIhSKA4rLZCEa"
    "KM0BOdQndhAVsn8jFItHJCbnyMfTqBIkRgGbEE+njqz7djtTdjIXGL3+0GsX88DihHgQct09TQqq27W+uYMapJssB7"
    "YnwaRii6VCKzcWUdp+vTvKozMnVdEBc7tLlhbKExjYXsYE+8FArO1RhS2N0as8dF1HC9HrzaPXZc5FQINHS3zSQ6o7"
    "pLicFzpa4EULvAjIdOZq6xCWL7ta4i5EBW98CWah24gDBUJA3xx9NiOe7eK50NAivUS3k6+oR6snB06YcyKjJxdYsN"
    "JHkieHePmtez/A53WIXId4+UPk+hbju/dHTBtYwaB4ERQv2nUfXaNjwjcd2r2b0qGFyO7tOEDfRgWIexoXaNLUr3KC"
    "xgUqVc+avtDPbEqi87s5pk4UHyl9izKAcvCowielAxKpMMgZ8TnzflGH3onONIqZFL/YUF1TR3kXHaBruoeh1zPl9I"
    "YyTZ31GYp91Jj5lqmfK0cGJgZzE8NUfELiOzZBPUUCDsYGkIMN4BC1QciehoDXHYazQR4v5O7W1aUhvrWV+FZI3F13"
    "4i7kj9bAdFdzRstyRVfniMovr3YUti0eFImN3yIY+hJFGMirBE0ImXGl8/tsHgU938ftYtN6jzjR2BpaG1Wb4bmwr3"
    "nhdCAuViZ4rj/6OX2HVOgg41SB3OKdsBhi5MkXSImB+JZgQumWCSWe2wX4S8/FWRJs7kycNUrv1s8aooEuFK/cLLIg"
    "AKNIA6NI+jENQM+RgQWws/Hu1Buwb+sSyesuezrzKfNp8GiCcppmgzhPiUPD6WaAbj+jYLGLKgBdUfg+TQRl7+uUvX"
    "fEHruR+XpJCMGIWzdJU89SyalCBWjGzeIAwNWtc3Umzz5mIbeezN6KkYDPW+dzfAh5E7+ShhQs+NkVTkEf23+K0FZm"
    "JuZJITHRIDFRgSew42Z6YI4M9MAmGnhiTm2yr8sQw+qw9dUBgkwOkeuQaHKIXNe6eWrHGOmIYTf4Q49wgzAZHS3gC0"
    "dhrBXQZAVvdkKDnhomLRzQsPEDGnJTsQV8ux2cpP90a4R+ZfcBLeDc9cg63b7JBGeYziYo73LQ3TsiK8ATz37slYTf"
    "pXr0V6YCOklnSuoG5XmIOCPyBt3LAe7RHMtIOXkIwn00GLfkxFFtAUMDghzmEU0YXvNxtIF3SdxzjrgQgAfxZLsXTw"
    "YGpEM0JYAi1rIilhN9htDqqQFkyAUDxXbn9qpmii3khLWeE5bfZgK6K9DVLy+7VFvl+qGkskrU0K9SplTNkdppTUPR"
    "jqin6pbMMA9QQDzZM0qTII5KOopKoIyZS2TFE5Su9oOw5yB7LNAWfQePaIz5WJfotJb7/On96d04HGFfELiiDT1gNy"
    "R8MdgwmvloQh55H3EWHbMnn8FlIyR6uPRBdpdXqXwm110euyd1hPu4psufno095lEbu0gW0BVdvwXRaHPM1dMQlb0V"
    "VYT5iSPJOEnsMjYRjxzOxLsK1viIB0y+r9AWK1RITUElTr7WT+FSnfutZVSlPpOWR86kaLU79PpODgHFffcUdyiTt1"
    "ZdQ36bBUiv6Kg0zy4m6FKS3euTk9PT85Pj01cXZy/Pz88ujhfZdsWmqrS7q5vfZAhgP23TKMYETsTbFjEvz5xJ+nci"
    "ES+bMfO6TmrS6/LUpNeF1CSxHWG+ZQpxlqqDQLefAxZBZhg7kqIB97sOT+OScRkqiBNukC8a+kKH0YBekTC6JAFRUU"
    "NUQOXojtiHO4kmVLJrWaMIB/8mtimiWSrAdOtlTfcHx/WkD+EAm8Cd9N9gaYPvP7ZgyVkL2D4Rr831IqN8G5al6sIk"
    "z27ETo6Pa+zERK/SrZhqy5fuIA+WNGubIJ0h6uCWt/3CHaYIA7gG4EIs16HEchXCOLbjtn1HpD/R18bDLtr6Vc5bJ+"
    "pVPwQWxfs3WURSRq3O8eMbdC8jWAVT7/vonhPPkT9RKKaZPLPCJViOJBsC0UFGuQ4xdYlzr0JeR4w5Ogfu2u5jeDKG"
    "rMKlPrfEChvX1lmXTzK5HbgOO+s6BEfLGhdhMOqBUW930RwT7OjykcoV+CVFJz7/TavwMm7KBO6kP4DdmnFKxq8ZGa"
    "ccagfov8ilfG3BG6m9xSCkrthU8iN5223sJCQ+1azIo56TM3IAXblZM+dhQrBBS2G8nV8X5msPNQgCMp0FmqK+pVFK"
    "aZLNhSodrwvglouB70a9UzCcbCYJTinsMoXeRExliLpnW29fH4oBC72Aug2+rDw51Jzb/neDeWAR32dGekSWqgtfzs"
    "YjsqSVrtHylKKE72fr3w+4aQ6R6xBO1a4lC/JfNpkcnoasCLVxwu1tbrj9hHhl4q1mosGRl22VjCqrx7XlVOZL4lN7"
    "3NN4xOOWfpU/HC/7rPKFlyO62sNs5JUtNSZpRafGjBSz72ne2HWqwK2Ykcr9rQ/E51q5WW5mSJF0whOQi+A7O6sTwX"
    "d2Vh7BJ9ty1lDxURkgHHfvILovasVHvqiIj3xRjI+U23vtulTuXUmRbN7Bsp0NVmuulK0GeP34f0K/+GM="
)
