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
    "email_verified" INT NOT NULL,
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
CREATE TABLE IF NOT EXISTS "organization_invites" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "invited_email" VARCHAR(320) NOT NULL,
    "fingerprint" VARCHAR(64) NOT NULL UNIQUE,
    "role" VARCHAR(16) NOT NULL,
    "all_boards_read" INT NOT NULL,
    "all_boards_write" INT NOT NULL,
    "accepted_at" TIMESTAMP,
    "expires_at" TIMESTAMP NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "accepted_by_user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL,
    "created_by_user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL,
    "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
    CONSTRAINT "ck_organization_invites_role" CHECK ("role" IN ('owner', 'admin', 'member'))
) /* An invitation; its token is stored as a fingerprint and shown once. */;
CREATE INDEX IF NOT EXISTS "idx_organizatio_invited_f12b18" ON "organization_invites" ("invited_email");
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
CREATE TABLE IF NOT EXISTS "board_groups" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "slug" TEXT NOT NULL,
    "description" TEXT,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE
) /* Boards that are planned together and share a memory; `boards` are the live ones, once they were loaded. */;
CREATE INDEX IF NOT EXISTS "idx_board_group_organiz_b4725d" ON "board_groups" ("organization_id", "created_at");
CREATE TABLE IF NOT EXISTS "boards" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "slug" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "gateway_id" CHAR(36),
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
    "deleted_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "board_group_id" CHAR(36) REFERENCES "board_groups" ("id") ON DELETE SET NULL,
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
CREATE TABLE IF NOT EXISTS "organization_invite_board_access" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "can_read" INT NOT NULL,
    "can_write" INT NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "organization_invite_id" CHAR(36) NOT NULL REFERENCES "organization_invites" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_organizatio_organiz_c99d78" UNIQUE ("organization_invite_id", "board_id")
) /* What an invited member will be able to do on one board. */;
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
    "archived_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "assigned_agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE SET NULL,
    "assigned_user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL,
    "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "created_by_user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL,
    CONSTRAINT "uid_tasks_board_i_df1159" UNIQUE ("board_id", "number"),
    CONSTRAINT "ck_tasks_status" CHECK ("status" IN ('inbox', 'in_progress', 'review', 'done')),
    CONSTRAINT "ck_tasks_one_assignee" CHECK ("assigned_agent_id" IS NULL OR "assigned_user_id" IS NULL),
    CONSTRAINT "ck_tasks_archived_when_done" CHECK ("archived_at" IS NULL OR "status" = 'done')
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
CREATE TABLE IF NOT EXISTS "task_checklist_items" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "text" TEXT NOT NULL,
    "is_done" INT NOT NULL,
    "position" REAL NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "task_id" CHAR(36) NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE
) /* A small step of a task. */;
CREATE INDEX IF NOT EXISTS "idx_task_checkl_task_id_e1e1be" ON "task_checklist_items" ("task_id", "position");
CREATE TABLE IF NOT EXISTS "task_comments" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "author_name" TEXT,
    "message" TEXT NOT NULL,
    "edited_at" TIMESTAMP,
    "deleted_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE SET NULL,
    "task_id" CHAR(36) NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    "user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL
) /* Something said about a task by an agent or a person; its id is the id of its event. */;
CREATE INDEX IF NOT EXISTS "idx_task_commen_task_id_66789a" ON "task_comments" ("task_id", "created_at");
CREATE TABLE IF NOT EXISTS "task_attachments" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "content_type" VARCHAR(255) NOT NULL,
    "size" INT NOT NULL,
    "sha256" VARCHAR(64) NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE SET NULL,
    "comment_id" CHAR(36) REFERENCES "task_comments" ("id") ON DELETE SET NULL,
    "task_id" CHAR(36) NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    "user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL,
    CONSTRAINT "ck_task_attachments_size" CHECK ("size" >= 0)
) /* A file on a task, or on one of its comments; its bytes are in `AttachmentContent`. */;
CREATE INDEX IF NOT EXISTS "idx_task_attach_task_id_88178d" ON "task_attachments" ("task_id", "created_at");
CREATE TABLE IF NOT EXISTS "task_attachment_contents" (
    "content" BLOB NOT NULL,
    "attachment_id" CHAR(36) NOT NULL PRIMARY KEY REFERENCES "task_attachments" ("id") ON DELETE CASCADE
) /* The bytes of an attachment, apart so that lists never read them. */;
CREATE TABLE IF NOT EXISTS "task_dependencies" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMP NOT NULL,
    "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "depends_on_task_id" CHAR(36) NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    "task_id" CHAR(36) NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_task_depend_task_id_2df13a" UNIQUE ("task_id", "depends_on_task_id"),
    CONSTRAINT "ck_task_dependencies_not_itself" CHECK ("task_id" <> "depends_on_task_id")
) /* An edge: `task` waits for `depends_on_task` to be done. */;
CREATE TABLE IF NOT EXISTS "board_memory" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "content" TEXT NOT NULL,
    "tags" JSON,
    "is_chat" INT NOT NULL,
    "source" TEXT,
    "edited_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "author_agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE SET NULL,
    "author_user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL,
    "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE
) /* Something written down for everybody on a board: a chat message or a note. */;
CREATE INDEX IF NOT EXISTS "idx_board_memor_board_i_6191e1" ON "board_memory" ("board_id", "is_chat", "created_at");
CREATE INDEX IF NOT EXISTS "idx_board_memor_board_i_8e994e" ON "board_memory" ("board_id", "created_at");
CREATE TABLE IF NOT EXISTS "board_group_memory" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "content" TEXT NOT NULL,
    "tags" JSON,
    "is_chat" INT NOT NULL,
    "source" TEXT,
    "edited_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "author_agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE SET NULL,
    "author_user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL,
    "board_group_id" CHAR(36) NOT NULL REFERENCES "board_groups" ("id") ON DELETE CASCADE
) /* Something written down for every board of a group. */;
CREATE INDEX IF NOT EXISTS "idx_board_group_board_g_69d3c4" ON "board_group_memory" ("board_group_id", "is_chat", "created_at");
CREATE INDEX IF NOT EXISTS "idx_board_group_board_g_d775c5" ON "board_group_memory" ("board_group_id", "created_at");
CREATE TABLE IF NOT EXISTS "tags" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "slug" VARCHAR(255) NOT NULL,
    "color" VARCHAR(6) NOT NULL,
    "description" TEXT,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_tags_organiz_52da47" UNIQUE ("organization_id", "slug"),
    CONSTRAINT "ck_tags_slug" CHECK ("slug" <> ''),
    CONSTRAINT "ck_tags_color" CHECK (LENGTH("color") = 6)
) /* A word with a colour that tasks of an organization carry. */;
CREATE TABLE IF NOT EXISTS "tag_assignments" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMP NOT NULL,
    "tag_id" CHAR(36) NOT NULL REFERENCES "tags" ("id") ON DELETE CASCADE,
    "task_id" CHAR(36) NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_tag_assignm_task_id_3f28e0" UNIQUE ("task_id", "tag_id")
) /* A tag on a task. */;
CREATE INDEX IF NOT EXISTS "idx_tag_assignm_tag_id_7f3220" ON "tag_assignments" ("tag_id");
CREATE TABLE IF NOT EXISTS "task_custom_field_definitions" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "field_key" VARCHAR(255) NOT NULL,
    "label" TEXT NOT NULL,
    "field_type" VARCHAR(16) NOT NULL,
    "ui_visibility" VARCHAR(16) NOT NULL,
    "validation_regex" TEXT,
    "description" TEXT,
    "required" INT NOT NULL,
    "default_value" JSON,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_task_custom_organiz_849cd1" UNIQUE ("organization_id", "field_key"),
    CONSTRAINT "ck_custom_fields_type" CHECK ("field_type" IN ('text', 'text_long', 'integer', 'decimal', 'boolean', 'date', 'date_time', 'url', 'json')),
    CONSTRAINT "ck_custom_fields_visibility" CHECK ("ui_visibility" IN ('always', 'if_set', 'hidden'))
) /* A field that an organization adds to the tasks of some boards. */;
CREATE TABLE IF NOT EXISTS "board_task_custom_fields" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMP NOT NULL,
    "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "field_id" CHAR(36) NOT NULL REFERENCES "task_custom_field_definitions" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_board_task__board_i_bca493" UNIQUE ("board_id", "field_id")
) /* A board whose tasks have a field. */;
CREATE TABLE IF NOT EXISTS "task_custom_field_values" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "value" JSON,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "field_id" CHAR(36) NOT NULL REFERENCES "task_custom_field_definitions" ("id") ON DELETE CASCADE,
    "task_id" CHAR(36) NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_task_custom_task_id_f4810f" UNIQUE ("task_id", "field_id")
) /* A task's value of a field; a missing row means the default. */;
CREATE TABLE IF NOT EXISTS "board_webhooks" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "description" TEXT NOT NULL,
    "enabled" INT NOT NULL,
    "secret" TEXT,
    "signature_header" VARCHAR(255),
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "agent_id" CHAR(36) REFERENCES "agents" ("id") ON DELETE SET NULL,
    "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE
) /* An address at which another system tells a board something; the secret is encrypted. */;
CREATE INDEX IF NOT EXISTS "idx_board_webho_board_i_748bb5" ON "board_webhooks" ("board_id", "created_at");
CREATE TABLE IF NOT EXISTS "board_webhook_payloads" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "payload" JSON,
    "headers" JSON,
    "source_ip" TEXT,
    "content_type" TEXT,
    "received_at" TIMESTAMP NOT NULL,
    "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "webhook_id" CHAR(36) NOT NULL REFERENCES "board_webhooks" ("id") ON DELETE CASCADE
) /* One call that a webhook received. */;
CREATE INDEX IF NOT EXISTS "idx_board_webho_board_i_ee7502" ON "board_webhook_payloads" ("board_id", "webhook_id", "received_at");
CREATE TABLE IF NOT EXISTS "marketplace_skills" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "category" TEXT,
    "risk" TEXT,
    "source" TEXT,
    "source_url" VARCHAR(2000) NOT NULL,
    "metadata" JSON NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_marketplace_organiz_019740" UNIQUE ("organization_id", "source_url")
) /* An entry of the organization's catalogue. */;
CREATE TABLE IF NOT EXISTS "skill_packs" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "source_url" VARCHAR(2000) NOT NULL,
    "branch" VARCHAR(255) NOT NULL,
    "metadata" JSON NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "organization_id" CHAR(36) NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_skill_packs_organiz_78f3ea" UNIQUE ("organization_id", "source_url"),
    CONSTRAINT "ck_skill_packs_source_url" CHECK ("source_url" LIKE 'https://github.com/%/%')
) /* A repository that skills are read from. */;
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
CREATE TABLE IF NOT EXISTS "kept_answers" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "actor_id" CHAR(36) NOT NULL,
    "key" VARCHAR(255) NOT NULL,
    "request_hash" VARCHAR(64) NOT NULL,
    "status" INT,
    "answer" TEXT,
    "created_at" TIMESTAMP NOT NULL,
    CONSTRAINT "uid_kept_answer_actor_i_25f7b0" UNIQUE ("actor_id", "key")
) /* The answer to a write that came with an `Idempotency-Key`, kept for a day. */;
CREATE INDEX IF NOT EXISTS "idx_kept_answer_created_cb84d2" ON "kept_answers" ("created_at");
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
    "organization_id" CHAR(36) REFERENCES "organizations" ("id") ON DELETE CASCADE,
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
CREATE INDEX IF NOT EXISTS "idx_custom_field_boards_field" ON "board_task_custom_fields" ("field_id");
CREATE INDEX IF NOT EXISTS "idx_custom_field_values_field" ON "task_custom_field_values" ("field_id");
CREATE INDEX IF NOT EXISTS "idx_webhook_payloads_webhook" ON "board_webhook_payloads" ("webhook_id", "received_at");
CREATE INDEX IF NOT EXISTS "idx_invites_organization" ON "organization_invites" ("organization_id", "created_at");
CREATE INDEX IF NOT EXISTS "idx_marketplace_skills_organization" ON "marketplace_skills" ("organization_id", "created_at");
CREATE INDEX IF NOT EXISTS "idx_invite_access_board" ON "organization_invite_board_access" ("board_id");
CREATE INDEX IF NOT EXISTS "idx_deliveries_organization" ON "deliveries" ("organization_id");
CREATE INDEX IF NOT EXISTS "idx_tasks_board_updated" ON "tasks" ("board_id", "updated_at", "id") WHERE "deleted_at" IS NULL;
CREATE INDEX IF NOT EXISTS "idx_tasks_board_due" ON "tasks" ("board_id", "due_at", "id") WHERE "deleted_at" IS NULL;
CREATE INDEX IF NOT EXISTS "idx_tasks_trash" ON "tasks" ("board_id", "deleted_at") WHERE "deleted_at" IS NOT NULL;
CREATE INDEX IF NOT EXISTS "idx_tasks_assigned_user" ON "tasks" ("assigned_user_id", "status");
CREATE INDEX IF NOT EXISTS "idx_tags_name" ON "tags" ("organization_id", LOWER("name"), "created_at", "id");
CREATE INDEX IF NOT EXISTS "idx_custom_fields_label" ON "task_custom_field_definitions" ("organization_id", LOWER("label"));
CREATE INDEX IF NOT EXISTS "idx_boards_name" ON "boards" ("organization_id", LOWER("name"), "created_at");
CREATE INDEX IF NOT EXISTS "idx_task_attachments_comment" ON "task_attachments" ("comment_id");
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
    "email_verified" BOOL NOT NULL,
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
CREATE TABLE IF NOT EXISTS "organization_invites" (
    "id" UUID NOT NULL PRIMARY KEY,
    "invited_email" VARCHAR(320) NOT NULL,
    "fingerprint" VARCHAR(64) NOT NULL UNIQUE,
    "role" VARCHAR(16) NOT NULL,
    "all_boards_read" BOOL NOT NULL,
    "all_boards_write" BOOL NOT NULL,
    "accepted_at" TIMESTAMP,
    "expires_at" TIMESTAMP NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "accepted_by_user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL,
    "created_by_user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
    CONSTRAINT "ck_organization_invites_role" CHECK ("role" IN ('owner', 'admin', 'member'))
);
CREATE INDEX IF NOT EXISTS "idx_organizatio_invited_f12b18" ON "organization_invites" ("invited_email");
COMMENT ON TABLE "organization_invites" IS 'An invitation; its token is stored as a fingerprint and shown once.';
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
CREATE TABLE IF NOT EXISTS "board_groups" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "slug" TEXT NOT NULL,
    "description" TEXT,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS "idx_board_group_organiz_b4725d" ON "board_groups" ("organization_id", "created_at");
COMMENT ON TABLE "board_groups" IS 'Boards that are planned together and share a memory; `boards` are the live ones, once they were loaded.';
CREATE TABLE IF NOT EXISTS "boards" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "slug" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "gateway_id" UUID,
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
    "deleted_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "board_group_id" UUID REFERENCES "board_groups" ("id") ON DELETE SET NULL,
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
CREATE TABLE IF NOT EXISTS "organization_invite_board_access" (
    "id" UUID NOT NULL PRIMARY KEY,
    "can_read" BOOL NOT NULL,
    "can_write" BOOL NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "organization_invite_id" UUID NOT NULL REFERENCES "organization_invites" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_organizatio_organiz_c99d78" UNIQUE ("organization_invite_id", "board_id")
);
COMMENT ON TABLE "organization_invite_board_access" IS 'What an invited member will be able to do on one board.';
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
    "archived_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "assigned_agent_id" UUID REFERENCES "agents" ("id") ON DELETE SET NULL,
    "assigned_user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL,
    "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "created_by_user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL,
    CONSTRAINT "uid_tasks_board_i_df1159" UNIQUE ("board_id", "number"),
    CONSTRAINT "ck_tasks_status" CHECK ("status" IN ('inbox', 'in_progress', 'review', 'done')),
    CONSTRAINT "ck_tasks_one_assignee" CHECK ("assigned_agent_id" IS NULL OR "assigned_user_id" IS NULL),
    CONSTRAINT "ck_tasks_archived_when_done" CHECK ("archived_at" IS NULL OR "status" = 'done')
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
CREATE TABLE IF NOT EXISTS "task_checklist_items" (
    "id" UUID NOT NULL PRIMARY KEY,
    "text" TEXT NOT NULL,
    "is_done" BOOL NOT NULL,
    "position" DOUBLE PRECISION NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "task_id" UUID NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS "idx_task_checkl_task_id_e1e1be" ON "task_checklist_items" ("task_id", "position");
COMMENT ON TABLE "task_checklist_items" IS 'A small step of a task.';
CREATE TABLE IF NOT EXISTS "task_comments" (
    "id" UUID NOT NULL PRIMARY KEY,
    "author_name" TEXT,
    "message" TEXT NOT NULL,
    "edited_at" TIMESTAMP,
    "deleted_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "agent_id" UUID REFERENCES "agents" ("id") ON DELETE SET NULL,
    "task_id" UUID NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    "user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL
);
CREATE INDEX IF NOT EXISTS "idx_task_commen_task_id_66789a" ON "task_comments" ("task_id", "created_at");
COMMENT ON TABLE "task_comments" IS 'Something said about a task by an agent or a person; its id is the id of its event.';
CREATE TABLE IF NOT EXISTS "task_attachments" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "content_type" VARCHAR(255) NOT NULL,
    "size" INT NOT NULL,
    "sha256" VARCHAR(64) NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "agent_id" UUID REFERENCES "agents" ("id") ON DELETE SET NULL,
    "comment_id" UUID REFERENCES "task_comments" ("id") ON DELETE SET NULL,
    "task_id" UUID NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    "user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL,
    CONSTRAINT "ck_task_attachments_size" CHECK ("size" >= 0)
);
CREATE INDEX IF NOT EXISTS "idx_task_attach_task_id_88178d" ON "task_attachments" ("task_id", "created_at");
COMMENT ON TABLE "task_attachments" IS 'A file on a task, or on one of its comments; its bytes are in `AttachmentContent`.';
CREATE TABLE IF NOT EXISTS "task_attachment_contents" (
    "content" BYTEA NOT NULL,
    "attachment_id" UUID NOT NULL PRIMARY KEY REFERENCES "task_attachments" ("id") ON DELETE CASCADE
);
COMMENT ON TABLE "task_attachment_contents" IS 'The bytes of an attachment, apart so that lists never read them.';
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
CREATE TABLE IF NOT EXISTS "board_memory" (
    "id" UUID NOT NULL PRIMARY KEY,
    "content" TEXT NOT NULL,
    "tags" JSONB,
    "is_chat" BOOL NOT NULL,
    "source" TEXT,
    "edited_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "author_agent_id" UUID REFERENCES "agents" ("id") ON DELETE SET NULL,
    "author_user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL,
    "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS "idx_board_memor_board_i_6191e1" ON "board_memory" ("board_id", "is_chat", "created_at");
CREATE INDEX IF NOT EXISTS "idx_board_memor_board_i_8e994e" ON "board_memory" ("board_id", "created_at");
COMMENT ON TABLE "board_memory" IS 'Something written down for everybody on a board: a chat message or a note.';
CREATE TABLE IF NOT EXISTS "board_group_memory" (
    "id" UUID NOT NULL PRIMARY KEY,
    "content" TEXT NOT NULL,
    "tags" JSONB,
    "is_chat" BOOL NOT NULL,
    "source" TEXT,
    "edited_at" TIMESTAMP,
    "created_at" TIMESTAMP NOT NULL,
    "author_agent_id" UUID REFERENCES "agents" ("id") ON DELETE SET NULL,
    "author_user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL,
    "board_group_id" UUID NOT NULL REFERENCES "board_groups" ("id") ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS "idx_board_group_board_g_69d3c4" ON "board_group_memory" ("board_group_id", "is_chat", "created_at");
CREATE INDEX IF NOT EXISTS "idx_board_group_board_g_d775c5" ON "board_group_memory" ("board_group_id", "created_at");
COMMENT ON TABLE "board_group_memory" IS 'Something written down for every board of a group.';
CREATE TABLE IF NOT EXISTS "tags" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "slug" VARCHAR(255) NOT NULL,
    "color" VARCHAR(6) NOT NULL,
    "description" TEXT,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_tags_organiz_52da47" UNIQUE ("organization_id", "slug"),
    CONSTRAINT "ck_tags_slug" CHECK ("slug" <> ''),
    CONSTRAINT "ck_tags_color" CHECK (LENGTH("color") = 6)
);
COMMENT ON TABLE "tags" IS 'A word with a colour that tasks of an organization carry.';
CREATE TABLE IF NOT EXISTS "tag_assignments" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMP NOT NULL,
    "tag_id" UUID NOT NULL REFERENCES "tags" ("id") ON DELETE CASCADE,
    "task_id" UUID NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_tag_assignm_task_id_3f28e0" UNIQUE ("task_id", "tag_id")
);
CREATE INDEX IF NOT EXISTS "idx_tag_assignm_tag_id_7f3220" ON "tag_assignments" ("tag_id");
COMMENT ON TABLE "tag_assignments" IS 'A tag on a task.';
CREATE TABLE IF NOT EXISTS "task_custom_field_definitions" (
    "id" UUID NOT NULL PRIMARY KEY,
    "field_key" VARCHAR(255) NOT NULL,
    "label" TEXT NOT NULL,
    "field_type" VARCHAR(16) NOT NULL,
    "ui_visibility" VARCHAR(16) NOT NULL,
    "validation_regex" TEXT,
    "description" TEXT,
    "required" BOOL NOT NULL,
    "default_value" JSONB,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_task_custom_organiz_849cd1" UNIQUE ("organization_id", "field_key"),
    CONSTRAINT "ck_custom_fields_type" CHECK ("field_type" IN ('text', 'text_long', 'integer', 'decimal', 'boolean', 'date', 'date_time', 'url', 'json')),
    CONSTRAINT "ck_custom_fields_visibility" CHECK ("ui_visibility" IN ('always', 'if_set', 'hidden'))
);
COMMENT ON TABLE "task_custom_field_definitions" IS 'A field that an organization adds to the tasks of some boards.';
CREATE TABLE IF NOT EXISTS "board_task_custom_fields" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMP NOT NULL,
    "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "field_id" UUID NOT NULL REFERENCES "task_custom_field_definitions" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_board_task__board_i_bca493" UNIQUE ("board_id", "field_id")
);
COMMENT ON TABLE "board_task_custom_fields" IS 'A board whose tasks have a field.';
CREATE TABLE IF NOT EXISTS "task_custom_field_values" (
    "id" UUID NOT NULL PRIMARY KEY,
    "value" JSONB,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "field_id" UUID NOT NULL REFERENCES "task_custom_field_definitions" ("id") ON DELETE CASCADE,
    "task_id" UUID NOT NULL REFERENCES "tasks" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_task_custom_task_id_f4810f" UNIQUE ("task_id", "field_id")
);
COMMENT ON TABLE "task_custom_field_values" IS 'A task''s value of a field; a missing row means the default.';
CREATE TABLE IF NOT EXISTS "board_webhooks" (
    "id" UUID NOT NULL PRIMARY KEY,
    "description" TEXT NOT NULL,
    "enabled" BOOL NOT NULL,
    "secret" TEXT,
    "signature_header" VARCHAR(255),
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "agent_id" UUID REFERENCES "agents" ("id") ON DELETE SET NULL,
    "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS "idx_board_webho_board_i_748bb5" ON "board_webhooks" ("board_id", "created_at");
COMMENT ON TABLE "board_webhooks" IS 'An address at which another system tells a board something; the secret is encrypted.';
CREATE TABLE IF NOT EXISTS "board_webhook_payloads" (
    "id" UUID NOT NULL PRIMARY KEY,
    "payload" JSONB,
    "headers" JSONB,
    "source_ip" TEXT,
    "content_type" TEXT,
    "received_at" TIMESTAMP NOT NULL,
    "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
    "webhook_id" UUID NOT NULL REFERENCES "board_webhooks" ("id") ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS "idx_board_webho_board_i_ee7502" ON "board_webhook_payloads" ("board_id", "webhook_id", "received_at");
COMMENT ON TABLE "board_webhook_payloads" IS 'One call that a webhook received.';
CREATE TABLE IF NOT EXISTS "marketplace_skills" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "category" TEXT,
    "risk" TEXT,
    "source" TEXT,
    "source_url" VARCHAR(2000) NOT NULL,
    "metadata" JSONB NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_marketplace_organiz_019740" UNIQUE ("organization_id", "source_url")
);
COMMENT ON TABLE "marketplace_skills" IS 'An entry of the organization''s catalogue.';
CREATE TABLE IF NOT EXISTS "skill_packs" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "source_url" VARCHAR(2000) NOT NULL,
    "branch" VARCHAR(255) NOT NULL,
    "metadata" JSONB NOT NULL,
    "created_at" TIMESTAMP NOT NULL,
    "updated_at" TIMESTAMP NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_skill_packs_organiz_78f3ea" UNIQUE ("organization_id", "source_url"),
    CONSTRAINT "ck_skill_packs_source_url" CHECK ("source_url" LIKE 'https://github.com/%/%')
);
COMMENT ON TABLE "skill_packs" IS 'A repository that skills are read from.';
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
CREATE TABLE IF NOT EXISTS "kept_answers" (
    "id" UUID NOT NULL PRIMARY KEY,
    "actor_id" UUID NOT NULL,
    "key" VARCHAR(255) NOT NULL,
    "request_hash" VARCHAR(64) NOT NULL,
    "status" INT,
    "answer" TEXT,
    "created_at" TIMESTAMP NOT NULL,
    CONSTRAINT "uid_kept_answer_actor_i_25f7b0" UNIQUE ("actor_id", "key")
);
CREATE INDEX IF NOT EXISTS "idx_kept_answer_created_cb84d2" ON "kept_answers" ("created_at");
COMMENT ON TABLE "kept_answers" IS 'The answer to a write that came with an `Idempotency-Key`, kept for a day.';
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
    "organization_id" UUID REFERENCES "organizations" ("id") ON DELETE CASCADE,
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
CREATE INDEX IF NOT EXISTS "idx_custom_field_boards_field" ON "board_task_custom_fields" ("field_id");
CREATE INDEX IF NOT EXISTS "idx_custom_field_values_field" ON "task_custom_field_values" ("field_id");
CREATE INDEX IF NOT EXISTS "idx_webhook_payloads_webhook" ON "board_webhook_payloads" ("webhook_id", "received_at");
CREATE INDEX IF NOT EXISTS "idx_invites_organization" ON "organization_invites" ("organization_id", "created_at");
CREATE INDEX IF NOT EXISTS "idx_marketplace_skills_organization" ON "marketplace_skills" ("organization_id", "created_at");
CREATE INDEX IF NOT EXISTS "idx_invite_access_board" ON "organization_invite_board_access" ("board_id");
CREATE INDEX IF NOT EXISTS "idx_deliveries_organization" ON "deliveries" ("organization_id");
CREATE INDEX IF NOT EXISTS "idx_tasks_board_updated" ON "tasks" ("board_id", "updated_at", "id") WHERE "deleted_at" IS NULL;
CREATE INDEX IF NOT EXISTS "idx_tasks_board_due" ON "tasks" ("board_id", "due_at", "id") WHERE "deleted_at" IS NULL;
CREATE INDEX IF NOT EXISTS "idx_tasks_trash" ON "tasks" ("board_id", "deleted_at") WHERE "deleted_at" IS NOT NULL;
CREATE INDEX IF NOT EXISTS "idx_tasks_assigned_user" ON "tasks" ("assigned_user_id", "status");
CREATE INDEX IF NOT EXISTS "idx_tags_name" ON "tags" ("organization_id", LOWER("name"), "created_at", "id");
CREATE INDEX IF NOT EXISTS "idx_custom_fields_label" ON "task_custom_field_definitions" ("organization_id", LOWER("label"));
CREATE INDEX IF NOT EXISTS "idx_boards_name" ON "boards" ("organization_id", LOWER("name"), "created_at");
CREATE INDEX IF NOT EXISTS "idx_task_attachments_comment" ON "task_attachments" ("comment_id");
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
    "eJztXW1z2za2/isYfWk7o3hiO7HzcufO2Inb9W4adxK33b3bHRoiYQkrilQI0oq2m/9+AZCU+AJSBEVRFHXamdgmcS"
    "DqOSCA85wX/DmYuRax2cmVabqB4988EccfvEF/Dhw8I/wX5f0hGuD5fH1XXPDxyJYCOGxpENFU3sIj5nvYFP0+YpsR"
    "fskizPTo3KeuI2TuHIJ4a2+J3EfkTwiKOkG2O36DGB07z6jDhmiOGVu4nsV/9d0pcdgJ+hjMRsQjFsKOhcwJpg7/3a"
    "ZT3qF8gBPxBJZr8kegzriNDwsc+iUghu+OCe/d4x/5z3/xy9SxyFfCxJ9/Dh4psS35+yBgxDOoJSQZ+TIQTcnXuUcY"
    "4+CwWDpShxPYtgB7OZdYD2RjDq7845toOJ8asvOUEsPu5XUjlv3119v3P8qWAqCRYbp2MHPWredLf+I6q+ZBQK0TIS"
    "PujYlDPOwTK6FS8WjRGIgvhUjwC74XkBUE1vqCRR5xYIuBMfifx8AxxXhAMyq/On8griTXPjFdj5xQi504ZMGB+t/o"
    "eROyhvHx7t74fHNvGIPc4IogSw6B6BL/ADEwqRimHK1vYb9rlOTVgfiAd3+5+vT9+cUPEheX+WNP3pQYDr5JQexjY6"
    "3VNfRCpznsr+n41vHV6EcCGfhp+No1D3wMzw4A5U/Lfzx7fXZ2fn559vz84tXLF5eXL189f8XbyufN37os0cL17U+3"
    "H+/FA7l8OglnG3FBKGAN+JR/2Tzi7ybYU+Mdt88Azr9IHcDjC2vE11NeG5DP8FfDJs7Yn/A/L16UoPnb1Sc5rC9e/J"
    "CG9GN050zeSoObmKyqziYJkS2mlGjcdgXnbeaKNZp8TXR14UzKAJ5pPMUknMfynq+Qaizj9u29+oM/v+1h+bq/+buc"
    "NmeMfbGTr/j3P1/9XQI7W0Z3Ptx9/ClunpgS3n24u86AzbcoT8YEs4nOZJsSghm3woyrizCAqwGu6REBhoF9xRTsm+"
    "/5TZ/OiBrptHAGbysSPYl/2dmMsmHjbNquOT1x3MU+9s33tz/ffL6/+vmX1Ozz/ur+Rtw5S8088dXvLzIKXHWCfr+9"
    "/wsSf6L/u/t4MxAfjAPfNfi3M7CVxCe+HF+SptHjNLFDFxdG2JwusGcZuTvumVvUNn9rdjbLXsEOHkuFCcjEc0Zm9C"
    "1HDjsm+Ux8P8Q0Z2lnmwzLjG0aNTZY2FrD3n7CdkBiE3gxcW2CZG98OIpmQ8QCc4Iwk/d598EcmfwBvmPokX8Q8eZ8"
    "UPhq67q5rjfb0oU2r/ypMXHG7ZuZOPdreO1k2iy2caW+dTZeK4FerFJt7Lw6Mn/9EnFinwh/bVWzV7pB6dwV82uGJ9"
    "pWnLmukOuQZ2JBRTZ1pmhB/QmfYqiYT9CceIyvg6I3/pdDFisOLz9PbdPRFrMSMHF7Y+ISa4vOupARg+Vh466afJ1T"
    "rpZ6u+q08L521XtaLTqzXc5wfjUtpIRkA4o8HMqqm3oEY/cYtb43xv6A5t0Nm4rc3juNbh7aH/lYpGPnb2QpAY4teg"
    "Wg0a7516ibw4R0fXU9S3t4sdr9JgcU/+78GxM/3HRdfX539f4mdFy3b8x8Dn3sA4UZE98qNWBY7KOvaLmI0AJiPaMO"
    "GnnugmPyVhIgputOKf+BPY8SYW8wwmdbXxAnjCQZESSGkcUQNzmIyqBpvH+wc8DOATun3BnOpxYVzsXcV1qqFswHtB"
    "PehecR7Mte7VBtzHyDEeLUU2hWHGyTg9E8WKTHqHWwSMEiBYtUaZHeizjzgcIeDW8My6zRMEa9qi06ItgjXmwKuo/C"
    "Gxa7vb5/mJmB8fADcj15WW5W5VXMr77l1+wlon7KW48oQ1MyVwQE7PizwEY9RBtVHZxRbDQ1G5xRaWHfx3q9ozjNR/"
    "pVhwlYS/QiPCNNA5xeVKABTrOboDUNIG6lAQa+pSW+hZmu6COH8V8/330syKVZSWTtA2r66L/IpqxKWs3h8C0CivIZ"
    "JDtZZOZu0UG3+ZbDUUY3zS+PPPGdYk2jOy0M2ty7NiX7VT9CIysOGt27RoEUO0atS7tXNxUwIQOpgJCo2lOOsZuIbk"
    "8x5l7/BiC9ivvpJ6bJGa9LvK0cyQraNh7hxaytGCWVSduQM1VRrIk7QIgeIiHK9xXe1ChctYpppJxg74iks5cvKzBJ"
    "vFUhlSTvZTiNGaa2Ds4rgT5E7KQBPj97XgFg3qoQYHlPAbDxRDzKO1WM6GvXtQl2SsBOCWdQH3HpXVkvqyvtTh7Xd3"
    "cfUibJ9W2W3f/15+ubT9+fSjXwRjRc+/IlcFr1rnRsaO/DvUI8j9vcuqjnJQH/Ovi7jhs4CrdAGfJrGcBcH3PBHf3H"
    "dbRGe1IGMNfH3HF9le+rZFKPBQBtfbSFUcGR1cE7IQKI6yNOmcGCuQiNt2bU0dwv5oVhv6ixX1xVYlAXmypZSLOCMP"
    "JrzDXg8DlCh08wt+prPS0MWj8YrWMO1xMxXG+MHfofWQ1Lv/5nQQ/gtCp1WimAa8Dhcpfp7iCB3ux3KRx0KS8Mfxz0"
    "8dcPH/blhrl2eRdXpklYOGAy3pjk7WGZUyb1PUdCysBrsY2Omt8n2EcYzYgoFi8LS7kBv+AgbNvPZHcMPdp4jGZ4iS"
    "wX8flThL7LO3nnzta9KRxC/0x/xbBv0VZKDf4FDqNOzGbDMocRdgy+99Nl1pNiLdpIsV4O1kQSuC08cVsf75UcGKU6"
    "iINZdIQbZDCLjlHr4R5LbzeRlIGk4MzkqdjeacJb3AOAXW5oFmyttzQ0f151dJgYb7Qxiwfc5vDJ0GzZHuTruJ+eYp"
    "ycM7sUP3nrPIX7QEU1/Kdo81zRXKdSoGpIpYNkeyn6VuaZyzR6kWHOfFee9CYqpiWTz8XRb2ziLoSZbarqsDXTJ4Rx"
    "HqJVHo4+y9AOL8wJ7ir1en9xnDsJM4Tk65aSr/m7qXWcRty+xYoN673WIZYRwLYdcs2sDq+nkAa2SYNtSuBXh+ZTiQ"
    "P+OvibJpnXJn4y0pDFvHdGp1s1Izpqrx2OOoGMP0atAxl/jFpfLaajZXFCYlmAklIcopPU7s16IKulAeMSL8gW7g/w"
    "e+j6PRrg4jUj6zoKsZ7bo6q/I/P6N4B2v2txqKfLgtjFsrUQkN4YKapc/TsVJhr6lDYEi+YbDTV9ULUjRyMHErHWQZ"
    "+2jUYEiQ9Dvls1ZrRWP5ujRenKJQfRol1amoclfimIFoVo0V7zx0BQHSNVAQTVMWodokV3ypOEm9dt6JJkDwC2RrTo"
    "emu9pZG5Dps7TIw1aZPkgINo0b5Hi0ah0AqjfR0kXdFSDw1jzQKc3zE0t7FJuHktjOxkh2+Qu+BjYYhkIRJxqFH4Cc"
    "U1O+t2ttFOl40E1wT2eTcWgWGJfQ7RdRBd12PrHKLrgB0BOxnYEdD67rUOQQ875Urg9GKIIWkZ4t3EkMBB0VWg7ehB"
    "0amBrSBCsgO/Gh1SkQe5eSIeHwscXuSLQIMRsV1nLNJcQy7iTRhOwIbhac78Z0SzDGWiq4g3IE/imGfbHeeJkcZ7h0"
    "zaQ2REun9C9J7yQ3ZUfNkiM1fTLE9IgTWuYY3ziclg5IsCbTq+dQrGd0IoAzatdOJXLayf7whn/rD8x7PXZ2fn55dn"
    "z88vXr18cXn58tXzV7ytfNz8rcsy5dz+JGBOqUONu7rCdTHRmpRpkWx9vuV/7dC0zWeZA1F1jJQFEFXHovWc6b8f8y"
    "n03BeVCC43mELro5qldBXaKrJqr6wE5AU2YSpncGG7zdbLn4P1t4589mPPDebCbBVNydc533Yzad9F0tG3jgZS/LIM"
    "ZGP+leQf8g1N9KwgGRIT7jYfBOYXmF9HbX4xOxjrgB23B7BrgJ18TA3MM2It2gL72DDsAvgxB2aBl5rOk7TUTjOc2y"
    "zX1YwzKlztJRo5SItt2rRUiyN57GL7UC1Td/RvIk/B0Jk0UkJwNlaNlTGQ2ZPGjPDnMhXnH/71893HgkUyL5o1Dqnp"
    "o/8im7IqBNrhaEJgUq6JLOiZmUZ0kDvzE3vcAjGEHV3DSM9IQ4GuvXMuYi4Wtsoj9WZENx4yLwwOAA0HgISPuYFnaq"
    "0mGTFYT/TXE498CahHDDyfe+4Th/PR9QxLeZRx6QtQ2g9kSld/FWIgPfJEycIYEQ4k2UYj6o5getKJFnZnM+L4RgSp"
    "JQd3iKumUjb0BFrR0MpIeBAM5mM/YIY5wc6YMEMQxsacOBZ/vtVkpKkkvY5BZxo6cx17yY1SbBmiskOIbYS0ppI29A"
    "Ra0dCKYArC2LG8EgrjL9JC7YVgnO4I6igE4+z0xeWLV+cXL1aRF6srZQEXeVB9zKYcrkBVh78Q1LRQb+JaGgM1jDet"
    "6RhPC4PJvXeTG4JbjlHrENxyjFrPxGHkNb+hUk1SEsr6QlnfHcMLKVldSMlKvPoNIC1j2X6KOzvIiaJiiZrkZNmpSr"
    "NXMXGiCDW8SpAqxdGGMfVSMeDwziFIkG2E+ejR9RBGFjGpWLFP0EP86wPyiW2LMwg9Iv3TfF1/9NwZWrjeFDGROyW+"
    "vuwg4oPyIYs7/aRaQY+NxiRmgh/XTAvEPPY25hHLL1UQTlPslsuIQVBeDb/cHC9tV1WWpzi+IyECcR314zqkF98ijs"
    "oV/SMHuGDQp8UyCngUcv0a9e/vfr3+cIN++XTz7vbzbaSHlVkpb6Zp5083Vx+yvs5g5FHTYGKW1AplygnCgK8/4Ivc"
    "L8XxkoVull3GSka+t12toLuutxbvAHVwTsr0Ibgle/xxBYzPz0oOP85i7LiqWLySHA1XGX13kNi2HzjEXPspPNdkyr"
    "+zzrhWyfZBB7ueQ1a41aLOM9Lg/9o7Jw7+r2PUOvi/jlHrMlRG9+TQhAz4vFSZXnDmRWOARtx17RNYi+Rh4BZvnGvB"
    "rBQHlEt9tnDChY77sKp7Vq5PDaB6FfdzkCN18xGgiWW8whGruYm0AYT7fcZq0dJTCez0dApYb8Rauf50MsrgHrPpoC"
    "TSQN4fVok2MGRgtk2daeVCR0IiLNiKHRT3gyhDeOQG/gl6oCzOJ3lAHplza57x9mTV9juGBNFOomiCcKAgOTxUBZN2"
    "/nnKA3aSmTDiCXKH66SiBiSKW1ZhgkCB7gUKrIdWXgWbKqYmBCFPFE4wARaplEWK1yNNIiktBtyHKldLD9KECMBZbn"
    "wXp+HqW4qJrg4T2s3WYvpd3WyF+9Eudkto481wT2FNvK9dOrcipD5UNkrMiZQYJ6vs2yr2iMiVFkdmikhj4iH3ke/x"
    "Jd1zgn6nfEAE3HBAUXE5RH1pOSCLesT0w4Ml3nDDYon44Bx7eBZWZsXId6fEUZkju/44zYjo3RVrzQRG7z702sbMNx"
    "ghDoRc98+SgpqQjW/uoHJvm/UJDySYlG+xZGhlaxGlzRfgpCw8A1ZWQdHnXdKyUC9Fg3uZEOz5I762hyX/FKRXcei6"
    "Shai1+tHr4ucC5/6S4O/0o9UdWh4sS5UsqCLBnThk9ncVhZGLV52lcJ9iApufQl2A7uWBnKCgL4++u6cOKaNF9xCC+"
    "0S1U6+pEC2Whw0oa+JlJ2cU8FGH0lWHOLl9+79AJ/XMWod4uWPUet7jO8+nGkaakR11OUJNaLarRHVAMZVQ7u7OTs0"
    "ENm9Jweo72NzMivygq7vDstcodK7i1eNKztFBeuD+KqMZfjkUDgs+V+uQ4TDUpw7GRVsZ2/lX6OlTxjCngiLRA/rh3"
    "vHF3P+40HlCN3FR2g6PxO+b6jW1FvXIfi5WiQXzPB1XBW5qurtysr1Avy0p+vs5csKri7eqtDXJe9lSE36HwXOhXXU"
    "4+btVVDfJbwNF1FnE3z28kJn1K4lejhem/fMAk91jIwFZPg3y1jEZyXpIZqWAkwh0H2HcNbI34ec/aocGsS1NxLXrp"
    "hSG0D13bqngxyqG3FNryMVMsmhGMIuiiFATn4FTDubh59lLwelFG/caKjB9BoRoVKR8b2fkIhhFQkpDlp3NER4jj0f"
    "MTdMohcRfww55Il4yBO5LP6EzPL8bhMdbmZzC+nWBBCahkdWsF0StpN7kWEJuWqux2YmzJo62FuWkn0KeOWQOdxdiT"
    "K+OgoSXdnjv119ur79ePXpH2qe9VoRVHr9j/ubK9WuUGf+Ur0deb3dOeTe5f9UXZVTXR3iC7F5Zc5OCRXchFstD+8m"
    "xJyKafHWJzPV0pBusHlZMOP2BuUClZ2AbIZtGzGfzMM0RdGXypNX2K6+O44PfiofBJxx/XLG+Vw/Os64uH0v+PW2nX"
    "GUrc6118uBiqUg+0kj+2k1Z+XgLjkeJSkEh6NUORwFnEjH6ESCYOdj1Dq4ZcCRsG/zr6MFcmJHg8o8XPsgNhmGUYhl"
    "NYvwszvjdhzHFDFMrbB+ZmTuodFSsnyCxEayTOaceMx1wthN3piGNTX5b1F0J3niTfPW5I4+AwJDwRbN02ABh9EzdO"
    "NDM2KQgqpvmM74K8TfYx3UEyLABdSAnFi09v45JQv5vnvfFoebkJrKTAuDNveuTSA0jlHrEBULEZwdhhMiOIF42S2k"
    "zUZwQpQhRBlClGGKISw65Wfz6T7izascJWLyBw3zuKMy1lcoMjFkMveUkDmTbJznLsJy1Q9rE+QBMaJgARvrVXk2z6"
    "oyghPMRvxi6dE8u69bnfyERNHXJiJgMp+EeRdjR3yBxDQQfSSQm/0iN6OxnYO/MDV4LQDJwYroDp/6qiKqJZFLsQDQ"
    "lTXoyuRjaoCeEQNuvreVyqkzcr/uakpOJ8KfXlRIhD/NMkbrRHhxKxMq5lHXo/5SB+WkTIs4z4hFg1k7QDdfcQBi8l"
    "qJybP4HrueM2IlCI6IvVPS1DHksULcBKinzXwHoNW9a5WbdE/UDZixtXpLegI9713PQjncUK3jV1KIAoOfXuEk9BH/"
    "k4e2NJ8iKwpJFRpJFRI8jh3TswMzYmAH1rHAIcikP6sD9swJfaqrzow06HPv+oSgoWPUOmRBHaPWlW67yjFjKmHY3X"
    "9TI1wj7EklC/im8d3joSUHxMTq1ACNVvDRss6QVUvDoC0N2mv7PI2ODtwGDtQoGcgN4NvvYDP1q1ulDGNqH9AAzn2P"
    "lFTtm3RwhuGsg3KXgyjfkznhMDrmclAQTploMdyYdG3FjSmpGmTpIGKNyRv0IDp4QAssIh8fXU8EPYrOmCEGjrznu2"
    "hEkCjgowirrN+PMpAyjmPPCOcCKiE+sHvxgUAgHSOVAIZYw4ZYZurThFYtDSBDbh8Ytp3bq+oZtpDj13iOX3abCehu"
    "QFe9vHSpipWcM37y3GA+UJhWibvDMrMqfDPHomFFi0r2zMIC9OJM0bmNHW6Goti+QdixEJuIWxjNyMz1lm/Rg/wc9i"
    "AlRKUpmz6JI0wJG/J/TXltiRaE37VdbBErb4G1+LmaJa8UZwxD6aveWn9wJmqbGTV2MNYBO24PYEPi2AEhD4zSMTJK"
    "EJJ0jFpX7Bar7uMUosDQlDM0ScgasHrvMt0dJsQbrV/FQOuc6fuzNPEGRbZvdHu42fidrVtq1HFeeNT3iYMsd+FIP6"
    "A4hW05cq1lovbKG/6LKQzWqARrWHvZcX2Fh7HZrjVN2CRBR5khOm7QjC2p2gKGcm8N5cLz7YpNieLT7cCCq2JH+His"
    "KD/x1893H4tcPWNV8QmLmj76rzxesle2mwCiHPMsvJlRLzpQnBQVT5camY0JKUhq1EhqZG7gmVr821oCmAmofX7Mli"
    "ewTMeo9ejMjVoJUHlRyHTIJdkLiOokP+UkAVtIfYLope6xYXrRS4n3ugFse57DkJsDq6SJJFalBhDuezJOfg3vVJaI"
    "jFEq5nKTt4cVA5kaZXRDtjU8nV32rs/cqruoxdCG369Vnjb5kcDWAlsLbO0A2Fpga4GtBba2czMKsLW1VNFJ3g7Y2m"
    "PUOrC1wNYeJrZ5a1GPs01KAnNbgbkNEWuKv13lih0mvhVJ3OQgAyoXqNxDhLizVO49Hg+UVX7G5dRtzGtUOTJx4XpW"
    "eGghRnwF4dZimBEqz12UFKuDktHL4jREb6k6JnGLnpQVfbKR5jIVDcr5dGMtHZYwn5DQufeEzpID0vqU0Jk+suvs5c"
    "sS9GOseavCQ7vkvUwmIZ/JFJuVYoBXAi0ejPaaiP93NUtkDkargHHx+XO54+cgRxZyZIEPgxxZ0DrkyHZr0oUcWciR"
    "TRvjV7JC8IzIr6AyyxMNhhsMdAOv2la21blYmLAqTGqVCZ5vUForlzfPGdSpgCXxnFwTEJrULwMddn7HuAeIXmaNl2"
    "4tASs+lIFtcQMFJTWrbJi0Cpb6WEET1kB03GtAxx3ceL4LmO/OfsxtoBS3N2w6+XAxZevodeVAU4f6ck9XcQsqBaOa"
    "oRl3Dl+KmDiqQVQFXfl8mDsjYbg+U21Yt+2ukuMo/LJTsgTvUUem/rLN6VpbOQ0Uk+4pIXBtVHNt8K9ObB3SfSXQC4"
    "Tb5tsTKGuP7FiqRZ+Sz4dBOx6l0youpdNin9JpzqkUUOOJMjqiNvW15pGcYIuAY3uBl+xQIX/CNrVC7s4jY/JVZ15R"
    "yYJHD+oNHw7yHvkSUI8odo2laVBJMciD0siDih7b4DNHoFhOi1P+coKQ+1c/9w945GPkkSGC4Bi1DhEEEEHQdf624x"
    "EECaY2rPBUzuauqkBtqtGSI3Yrs7lhHZXFxGUxxzrBT+K4J9mNirCtIKHkZNOlsYCI7cgUNIQoAVjnFVmnUCOwsUiB"
    "UFwP0KQMAApFF9svuvgYj8stUc14p3uKbfJ97eiO8zdJeJXvOH+LSTGdIALJpGmEsLLpdwxJobCAn+zlrThiVKzQzh"
    "h57gLNCHaYdP1HOlVHu27RV2lgLGxSuzT5l21StQlgIH6B+AXTAIhf0HpFrYP9AqHjXYMTQsfbDB0HW1AH2q7agr+T"
    "0cR1pwOFCRjfGm72NSzCplXtPRnGLfIGEfbRYkLNCcKOKwwuxJbMJzPkE9tm8RmcMr5bVn5/Kw02Rvhm0UeUIeKY3n"
    "LOB4vCENzRh2xx4ieUde+twbnHGLuOzoitBdkRRwChG2OXkGoxxC5+IQ42wi6cFXWG+FoCIkhr1PHiWynsBx4xJgRb"
    "qvqYJTW9FLJ90EEb5b2AyTpCTgOYrGPUeq0a8FD8HY6ThMiGTjMumsdJQm3sKqB2tih2RFb9gpe2i5UxtJkWw8qslj"
    "EPRSqyW3cOQSa27ah+AYp6QR4xCX1SUVWVJLbgneLvEf4V9wo0VP9oqPl6cFeNfEiIQOxD/diH0MTWOmcwIQLI10c+"
    "PMrOoIojWjadfxcJ9YEUaZuYig4lLShcsfEw0+1KVxw59skVPL/SbiIqMtLAVBwMUwGWdcNURXpjXBXStBSACnRF+3"
    "TFYh2bsSWuiSiPniKbfl+7FHzzeUpte6DgKsIbwzKKYoa9KfHnNubbWCaaVw++4fsvbylSI0ScSzI7+juGTG5a2u44"
    "IMqImuqS1c7uCnfhgWdDVkVHZvJhCbsAJ3hB1a4jQJ5PZGTseooKgSVmbUIGMK9h0lJVfHYx3nF7wLpGTJFcdfXZMs"
    "B7G7zlLieHeUn0VkqqF0toJnDr+fPnVSK3eLPi0C15Mw33jPhYbGF0qPikzFZc/LZU2Cigtk8ddiI+dh/bQ0gMBboS"
    "wulA61ARsDs2eQm7ChUBe1gRULJ/v/CuBkXUoLw5LKMHJSVozHm7ykVYPMLHHvW5FRsGIoWsIsIe4bewhR49d6YquF"
    "JZDjhB4ASBEwRO8ACRBxu+VRt+5PF9ykQH6rVEi2ezzDgsu5quW8hyA6YEmBKwmTtgMwNTcoxaB6YEmBJgSrZiSm6e"
    "iHz0HEsS3hiWMSRENKl+wi2/j6gjA5/mmPnIJ45o6QSzEfGIhRaUD5NApG9NXJu3IV7m4FrHQuaEQ83bjpZogtlEef"
    "TtLj7nD+cP59YKKZm5ze+F1XHZqrPHcPijKVmyIWJuSOSIZ7DdMeItbPokmour1I8LJ434jRP0ILaDD6JQEm//h2Ni"
    "x3WoiW0k9jdInBcZ9rbATD4NsU7QlXhuJsPGhOKEsO26U/7IwZx/V64aDzHfFd93wr91NfYoGp+MfMkxR4WpcbLxsH"
    "4SnJjPE10nCqg13HMy8bLhrhUYQqWq3hJ2sOvYaUqBeDdzkF7T8a1TWB/piwJIWimJvGsQ8uflP569Pjs7P788e35+"
    "8erli8vLl6+ev+Jt5RPnb12W4H59+5MoQZXahudrUk35t9WhiuL2PeTjXlc5wPd18QG+r3MH+PLtiOsZuhCnpXoIdP"
    "MnJYeQaZahSchAGRoVnrruqbQUeEpqeEoCj9swWofZJ0RgqqgwVewxD/RwBvchlF7vJZpQT61hiyIY/ZuYuoimpQDT"
    "rOeTMT7mdHYGCRHYFtQIXVH6mUtiVtQ+5l168//8tg/X1G4KhPCvzdRTRvE2LC3Vh0GeC1apFqtSFqqS3YvNPfJkCF"
    "pbB+mUUA+3vBcvKgB98aIQZ3ErU15LE2EAVwNcCDo5lvCDnH98P27bv5G5f+WwhfTi5Xy3ibvDMgfulLczsGxY0Y17"
    "PyEoFEC+KwptetQnoXfSFG5I4Q7lDdDDrUVmc9cnjrl89jeyfBgi8WHCTcqlLLzMe26b7Vrp60yyfVOyLHdyggevtx"
    "68PTLFXVsZm7EGxcuksbeImvdwa7GTKOPYrNDdwmXleoh381s55mM/UFShLXY/rwRqeaC7ZvCFDuiz0xeXL16dX7xY"
    "+Z1XV8rczXnXMl5tQyo7kFYSfTCgWy+9A5YIWCJtWiLviYhs9JYDhR2yuldqhVhhK0oqh5JGTDLiI4T6DC3w8g16WG"
    "Dqc6Vyc+CBEccSv6KADzNhFdgEi57EDZ834JbCwyOmNrEepNkwdl3V+Ze7+xzNowjEEiNftzgexOLCW9olZdGR8ceB"
    "CdRbEwhCvna4h4TwAggv6C6aRedgFm/Jtzz9smuvf9t7cpHBoQN33B7AbsxNXpyODanYMT7lqqhzrky8j6wcxhgLtB"
    "izEG3nd4X5zoOefZ/M5r4OYZUUaS9p4vmuAG6YsIpMq/xWYxN5shYE4qTTxElS29Jgt4yRlvsiJdQHknLX9lAEWOD4"
    "VFH9Z+OblRVv4P3qmAIO773BzDeI57ladkRaqg9vTuu5IYKlq7U8JSTh/dn7+wNummPUOiR2NMtkdSYTvzfo5pyKXS"
    "n/002Em6v+k5smGoD4Ku6nn9gmZ8YulVS6Ih41JwOFPzy6MyzzhuN1m02e8GJEN/uXtXyyhVSScuJUkEiR+rbzxXY+"
    "6qnY2/pEPKacNotJhoRIL/wALcRJipdKA+GoeQ/RPa2Up3Vakqd1ms/Tis4d1/GtJETad6/sZ3/VmCNlr+Fd3/4fFk"
    "2mZw=="
)
