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
