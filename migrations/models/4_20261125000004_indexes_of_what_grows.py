"""Indexes for what grows: a board's events by kind and time, comments from the newest, and what names a person or an agent.

Without the last ones, deleting an agent reads every comment, approval and entry there is, and deleting a board does so
once for each of its agents.
"""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

SAID = """WHERE "deleted_at" IS NULL AND TRIM("message") <> ''"""
NAMING = (
    ("idx_task_comments_agent", "task_comments", "agent_id"),
    ("idx_task_comments_user", "task_comments", "user_id"),
    ("idx_approvals_agent", "approvals", "agent_id"),
    ("idx_approvals_requester", "approvals", "requested_by_user_id"),
    ("idx_approvals_decider", "approvals", "resolved_by_user_id"),
    ("idx_board_memory_agent", "board_memory", "author_agent_id"),
    ("idx_board_memory_user", "board_memory", "author_user_id"),
    ("idx_group_memory_agent", "board_group_memory", "author_agent_id"),
    ("idx_group_memory_user", "board_group_memory", "author_user_id"),
    ("idx_tasks_created_by", "tasks", "created_by_user_id"),
    ("idx_task_attachments_agent", "task_attachments", "agent_id"),
    ("idx_task_attachments_user", "task_attachments", "user_id"),
    ("idx_agent_questions_answerer", "agent_questions", "answered_by_user_id"),
    ("idx_board_webhooks_agent", "board_webhooks", "agent_id"),
    ("idx_invites_creator", "organization_invites", "created_by_user_id"),
    ("idx_invites_accepter", "organization_invites", "accepted_by_user_id"),
    ("idx_password_resets_user", "password_resets", "user_id"),
    ("idx_users_active_organization", "users", "active_organization_id"),
)
INDEXES = {
    "idx_events_kind": """ON "events" ("board_id", "kind", "created_at", "task_id")""",
    "idx_task_comments_shown": f"""ON "task_comments" ("created_at", "id") {SAID}""",
    "idx_task_comments_counted": f"""ON "task_comments" ("task_id") {SAID}""",
    **{name: f"""ON "{table}" ("{column}") WHERE "{column}" IS NOT NULL""" for name, table, column in NAMING},
}
CREATED = "\n".join(f"""CREATE INDEX "{name}" {what};""" for name, what in INDEXES.items())
DROPPED = "\n".join(f"""DROP INDEX "{name}";""" for name in INDEXES)
UP = {"sqlite": CREATED, "postgres": CREATED}
DOWN = {"sqlite": DROPPED, "postgres": DROPPED}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
