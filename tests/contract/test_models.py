"""The migrated database is what the models say, on whichever database the tests run; and who reaches which rows."""

import re
from typing import Any

import pytest
from quart import Quart
from tortoise import Tortoise
from tortoise.connection import get_connection
from tortoise.models import Model

from mission_control.database.sql import is_postgres, rows
from tests.contract.source import modules

# Constraints and indexes written by hand, which no model knows. Both databases must have them.
CHECKS = {
    "ck_agent_questions_state": "agent_questions",
    "ck_agents_work_state": "agents",
    "ck_approvals_confidence": "approvals",
    "ck_approvals_resolved": "approvals",
    "ck_approvals_status": "approvals",
    "ck_board_onboarding_status": "board_onboarding_sessions",
    "ck_boards_max_agents": "boards",
    "ck_boards_work_state": "boards",
    "ck_budgets_limit": "budgets",
    "ck_budgets_one_subject": "budgets",
    "ck_budgets_period": "budgets",
    "ck_budgets_unit": "budgets",
    "ck_custom_fields_type": "task_custom_field_definitions",
    "ck_custom_fields_visibility": "task_custom_field_definitions",
    "ck_deliveries_state": "deliveries",
    "ck_organization_invites_role": "organization_invites",
    "ck_organization_members_role": "organization_members",
    "ck_organizations_work_state": "organizations",
    "ck_skill_packs_source_url": "skill_packs",
    "ck_tags_color": "tags",
    "ck_tags_slug": "tags",
    "ck_task_attachments_size": "task_attachments",
    "ck_task_dependencies_not_itself": "task_dependencies",
    "ck_task_runs_ended": "task_runs",
    "ck_task_runs_state": "task_runs",
    "ck_task_runs_usage": "task_runs",
    "ck_tasks_archived_when_done": "tasks",
    "ck_tasks_one_assignee": "tasks",
    "ck_tasks_status": "tasks",
    "ck_tokens_one_owner": "tokens",
    "ck_usage_entries_amounts": "usage_entries",
}
INDEXES = {
    "idx_agent_questions_agent",
    "idx_agent_questions_answerer",
    "idx_approvals_agent",
    "idx_approvals_decider",
    "idx_approvals_requester",
    "idx_board_access_board",
    "idx_board_memory_agent",
    "idx_board_memory_user",
    "idx_board_webhooks_agent",
    "idx_boards_name",
    "idx_budgets_organization",
    "idx_custom_field_boards_field",
    "idx_custom_field_values_field",
    "idx_custom_fields_label",
    "idx_deliveries_open",
    "idx_deliveries_organization",
    "idx_deliveries_unread",
    "idx_events_kind",
    "idx_group_memory_agent",
    "idx_group_memory_user",
    "idx_invite_access_board",
    "idx_invites_accepter",
    "idx_invites_creator",
    "idx_invites_organization",
    "idx_marketplace_skills_organization",
    "idx_members_user",
    "idx_password_resets_user",
    "idx_search_documents_board",
    "idx_sessions_user",
    "idx_tags_name",
    "idx_task_attachments_agent",
    "idx_task_attachments_comment",
    "idx_task_attachments_run",
    "idx_task_attachments_user",
    "idx_task_comments_agent",
    "idx_task_comments_counted",
    "idx_task_comments_shown",
    "idx_task_comments_user",
    "idx_task_dependencies_board",
    "idx_task_dependencies_waited_for",
    "idx_task_runs_lease",
    "idx_tasks_assigned_user",
    "idx_tasks_board_due",
    "idx_tasks_board_live",
    "idx_tasks_board_updated",
    "idx_tasks_created_by",
    "idx_tasks_retry",
    "idx_tasks_trash",
    "idx_tokens_agent",
    "idx_tokens_user",
    "idx_usage_entries_run",
    "idx_users_active_organization",
    "idx_webhook_payloads_webhook",
    "uid_agents_board_lead",
    "uid_agents_board_name",
    "uid_approval_task_links_pending",
    "uid_budgets_agent",
    "uid_budgets_board",
    "uid_budgets_organization",
    "uid_task_runs_running",
    "uid_users_email",
}
ONLY_ON_POSTGRES = {"idx_search_documents_words"}
# Full-text search: documents kept by triggers; on SQLite the words are tables of FTS5.
SEARCH = {"search_documents"}
SEARCH_ON_SQLITE = {f"search_words{part}" for part in ("", "_config", "_data", "_docsize", "_idx")}

# How an actor reaches the rows of each model that belongs to an organization: a function, or why none is needed.
REACH = {
    "Agent": "mission_control.agents.queries.visible_agents",
    "AgentSoul": "only read together with its agent, which was found first",
    "Approval": "mission_control.approvals.queries.visible_approval",
    "ApprovalTask": "only read together with its approval, which was found first",
    "Attachment": "only read together with its task, which was found first",
    "AttachmentContent": "only read together with its attachment, which was found first",
    "Board": "mission_control.boards.models.Board.visible_to",
    "BoardAccess": "the rights themselves: read by authn/credentials.py to make an actor",
    "BoardGroup": "mission_control.groups.queries.visible_group",
    "BoardMemory": "mission_control.memory.queries.visible_entry",
    "Budget": "mission_control.usage.queries.visible_budget",
    "ChecklistItem": "only read together with its task, which was found first",
    "Comment": "only read together with its task, which was found first",
    "CustomField": "mission_control.custom_fields.queries.visible_field",
    "CustomFieldBoard": "only read together with its field or board, which was found first",
    "CustomFieldValue": "only read together with its task, which was found first",
    "Delivery": "read by the agent it is for, or together with its agent, which was found first; sent by the system",
    "Event": "read by streams, which ask at every batch whether the reader still reaches the board",
    "GroupMemory": "mission_control.memory.queries.visible_group_entry",
    "Invite": "mission_control.organizations.queries.visible_invite",
    "InviteBoardAccess": "only read together with its invitation, which was found first",
    "KeptAnswer": "found by whoever sent the request, and by nobody else",
    "Member": "the rights themselves: read by authn/credentials.py to make an actor",
    "OnboardingSession": "only read together with its board, which was found first",
    "Question": "only read together with its board, which was found first",
    "Run": "only read together with its task, which was found first",
    "Skill": "mission_control.skills.queries.visible_skill",
    "SkillPack": "mission_control.skills.queries.visible_pack",
    "Tag": "mission_control.tags.queries.visible_tag",
    "TagAssignment": "only read together with its task or tag, which was found first",
    "Task": "mission_control.tasks.queries.visible_task",
    "TaskDependency": "only read together with its tasks or its board, which were found first",
    "UsageEntry": "only summed up for an agent, board or organization, which was found first",
    "User": "people read themselves; others see names only",
    "Webhook": "mission_control.webhooks.queries.visible_webhook",
    "WebhookPayload": "mission_control.webhooks.queries.visible_payload",
}
NOBODYS = {"AccountEvent", "InstanceSetting", "Organization", "PasswordReset", "Session", "Token"}


def models() -> list[type[Model]]:
    """All models of the program."""
    return [one for one in Tortoise.apps["models"].values() if one._meta.db_table != "aerich"]


def linked(model: type[Model]) -> set[str]:
    """The fields that name another model."""
    return model._meta.fk_fields | model._meta.o2o_fields


def types(model: type[Model]) -> dict[str, tuple[str, bool]]:
    """Each column's type and whether it may be null, as the model has it on this database."""
    dialect = get_connection("default").capabilities.dialect
    found = {}
    for name, column in model._meta.fields_db_projection.items():
        field: Any = model._meta.fields_map[name]
        related = field.reference.to_field_instance if field.reference is not None else field
        found[column] = (_spelled(related.get_for_dialect(dialect, "SQL_TYPE")), field.null)
    return found


def _spelled(kind: str) -> str:
    words = {"BOOL": "boolean", "INT": "integer", "TIMESTAMP": "timestamp without time zone", "JSONB": "jsonb"}
    if not is_postgres():
        return kind
    return words.get(kind, kind.lower().replace("varchar", "character varying"))


async def columns(table: str) -> dict[str, tuple[str, bool]]:
    """Each column's type and whether it may be null, as the database has it."""
    if is_postgres():
        found = await rows(
            "SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required"
            " FROM pg_attribute a WHERE a.attrelid = to_regclass(?) AND a.attnum > 0 AND NOT a.attisdropped",
            table,
        )
    else:
        found = await rows(f"SELECT name, type, \"notnull\" AS required FROM pragma_table_info('{table}')")
    return {row["name"]: (row["type"], not row["required"]) for row in found}


async def foreign_keys(table: str) -> set[tuple[str, str, str]]:
    """Column, table referred to and what happens on delete."""
    if not is_postgres():
        found = await rows(
            f'SELECT "from" AS column, "table" AS target, on_delete FROM pragma_foreign_key_list(\'{table}\')'
        )
        return {(row["column"], row["target"], row["on_delete"]) for row in found}
    words = {"c": "CASCADE", "n": "SET NULL", "a": "NO ACTION", "r": "RESTRICT"}
    found = await rows(
        "SELECT a.attname AS column, t.relname AS target, c.confdeltype::text AS on_delete FROM pg_constraint c"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)"
        " JOIN pg_class t ON t.oid = c.confrelid WHERE c.contype = 'f' AND c.conrelid = to_regclass(?)",
        table,
    )
    return {(row["column"], row["target"], words[row["on_delete"]]) for row in found}


async def unique_sets(table: str) -> set[tuple[str, ...]]:
    """The columns of every plain unique constraint or index, the primary key included."""
    if is_postgres():
        found = await rows(
            "SELECT (SELECT string_agg(a.attname, ',' ORDER BY array_position(i.indkey::int[], a.attnum::int))"
            " FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)) AS names FROM pg_index i"
            " WHERE i.indrelid = to_regclass(?) AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL",
            table,
        )
        return {tuple(row["names"].split(",")) for row in found}
    sets = set()
    for index in await rows(f"SELECT name FROM pragma_index_list('{table}') WHERE \"unique\" AND NOT partial"):
        parts = await rows(f"SELECT name FROM pragma_index_info('{index['name']}') ORDER BY seqno")
        if all(part["name"] for part in parts):
            sets.add(tuple(part["name"] for part in parts))
    return sets


@pytest.mark.usefixtures("app")
async def test_tables_have_exactly_the_models_columns() -> None:
    for model in models():
        assert await columns(model._meta.db_table) == types(model), model.__name__


@pytest.mark.usefixtures("app")
async def test_foreign_keys_are_the_models() -> None:
    for model in models():
        fields: dict[str, Any] = {name: model._meta.fields_map[name] for name in linked(model)}
        expected = {
            (field.source_field or f"{name}_id", field.related_model._meta.db_table, str(field.on_delete.value))
            for name, field in fields.items()
        }
        assert await foreign_keys(model._meta.db_table) == expected, model.__name__


@pytest.mark.usefixtures("app")
async def test_unique_constraints_are_the_models() -> None:
    for model in models():
        meta = model._meta
        expected = {tuple(_column(model, name) for name in names) for names in meta.unique_together}
        expected |= {(column,) for name, column in meta.fields_db_projection.items() if meta.fields_map[name].unique}
        expected.add((meta.fields_db_projection[meta.pk_attr],))
        assert await unique_sets(meta.db_table) == expected, model.__name__


def _column(model: type[Model], name: str) -> str:
    return f"{name}_id" if name in linked(model) else name


@pytest.mark.usefixtures("app")
async def test_what_was_written_by_hand_is_there() -> None:
    if is_postgres():
        found = await rows(
            "SELECT conname AS name, relname AS table_name FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid"
            " WHERE contype = 'c'"
        )
        checks = {row["name"]: row["table_name"] for row in found}
        indexes = {
            row["indexname"] for row in await rows("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")
        }
    else:
        tables = await rows("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL")
        checks = {
            check: row["name"] for row in tables for check in re.findall(r'CONSTRAINT "(ck_\w+)" CHECK', row["sql"])
        }
        indexes = {row["name"] for row in await rows("SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert checks == CHECKS
    known = {
        index for index in indexes if re.fullmatch(r"(idx|uid)_\w+", index) and not re.search(r"_[0-9a-f]{6}$", index)
    }
    assert known == INDEXES | (ONLY_ON_POSTGRES if is_postgres() else set())


@pytest.mark.usefixtures("app")
async def test_no_table_is_without_a_model() -> None:
    listed = (
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()"
        if is_postgres()
        else "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    searched = SEARCH if is_postgres() else SEARCH | SEARCH_ON_SQLITE
    assert {row["name"] for row in await rows(listed)} - searched == {one._meta.db_table for one in models()} | {
        "aerich"
    }


def test_every_model_says_how_its_rows_are_reached(app: Quart) -> None:
    assert {one.__name__ for one in models()} == set(REACH) | NOBODYS
    for name, reach in REACH.items():
        if reach.startswith("mission_control."):
            assert callable(_resolved(reach)), name
        else:
            assert " " in reach, name


def _resolved(dotted: str) -> Any:
    module = next(one for one in sorted(modules(), key=len, reverse=True) if dotted.startswith(f"{one}."))
    thing: Any = __import__(module, fromlist=["x"])
    for part in dotted.removeprefix(f"{module}.").split("."):
        thing = getattr(thing, part)
    return thing


@pytest.mark.usefixtures("app")
async def test_what_names_something_is_found_by_an_index_when_that_is_deleted() -> None:
    lacking = set()
    for model in models():
        table = model._meta.db_table
        indexed = await first_columns(table)
        lacking |= {f"{table}.{column}" for column, *_ in await foreign_keys(table) if column not in indexed}
    assert lacking == set()


async def first_columns(table: str) -> set[str]:
    """The columns with which the indexes of a table begin."""
    if is_postgres():
        found = await rows(
            "SELECT a.attname AS name FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid"
            " AND a.attnum = i.indkey[0] WHERE i.indrelid = to_regclass(?)",
            table,
        )
    else:
        found = await rows(
            f"SELECT c.name FROM pragma_index_list('{table}') l JOIN pragma_index_info(l.name) c ON c.seqno = 0"
        )
    return {row["name"] for row in found}
