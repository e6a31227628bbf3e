"""What no model says about the migrated tables, and how an actor reaches the rows of each model."""

import re
from typing import Any

import pytest
from quart import Quart

from mission_control.database.move_source import tables
from mission_control.database.sql import is_postgres, rows
from tests.catalog import first_columns, foreign_keys, models
from tests.contract.source import modules

pytestmark = pytest.mark.dialect

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
    "ck_gateway_calls_state": "gateway_calls",
    "ck_gateway_requests_kind": "gateway_requests",
    "ck_gateway_requests_status": "gateway_requests",
    "ck_gateways_state": "gateways",
    "ck_jobs_state": "jobs",
    "ck_notifications_kind": "notifications",
    "ck_organization_invites_role": "organization_invites",
    "ck_organization_members_role": "organization_members",
    "ck_organizations_work_state": "organizations",
    "ck_provisioning_jobs_state": "provisioning_jobs",
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
    "idx_task_runs_parked", "idx_tasks_parent", "idx_tasks_rework", "idx_task_proposals_open",
    "idx_task_proposals_agent", "idx_task_proposals_decider", "idx_agent_sessions_connection",
    "idx_agent_sessions_open", "idx_agent_sessions_parent", "idx_agent_sessions_user", "idx_deliveries_taken",
    "idx_run_notes_board", "idx_run_notes_agent", "idx_run_notes_user", "idx_run_notes_open",
    "idx_agent_questions_agent", "idx_agent_questions_answered", "idx_agent_questions_answerer",
    "idx_agent_questions_decide_by", "idx_agent_questions_run", "idx_agent_questions_unanswered", "idx_approvals_agent",
    "idx_approvals_answered", "idx_approvals_decide_by", "idx_approvals_decider", "idx_approvals_of_session",
    "idx_events_of_board_changes", "idx_approvals_requester", "idx_approvals_run", "idx_approvals_unanswered",
    "idx_board_access_board", "idx_board_memory_agent", "idx_agent_questions_closed", "idx_board_memory_shown",
    "idx_board_memory_user", "idx_board_onboarding_waiting", "idx_board_webhooks_agent", "idx_boards_name",
    "idx_budgets_organization", "idx_custom_field_boards_field", "idx_custom_field_values_field",
    "idx_custom_fields_label", "idx_deliveries_open", "idx_deliveries_organization", "idx_deliveries_unread",
    "idx_events_kind", "idx_events_nowhere", "idx_events_others", "idx_figure_tasks_at_work",
    "idx_figure_tasks_reviews", "idx_gateway_installed_skills_skill", "idx_gateway_requests_agent",
    "idx_gateway_requests_decider", "idx_gateway_requests_unanswered", "idx_gateways_same_as", "idx_group_memory_agent",
    "idx_group_memory_shown", "idx_group_memory_user", "idx_invite_access_board", "idx_invites_accepter",
    "idx_invites_creator", "idx_invites_organization", "idx_marketplace_skills_organization", "idx_members_user",
    "idx_notifications_board", "idx_notifications_organization", "idx_notifications_task", "idx_notifications_unread",
    "idx_password_resets_user", "idx_provisioning_jobs_organization", "idx_sessions_user", "idx_tags_name",
    "idx_task_attachments_agent", "idx_task_attachments_comment", "idx_task_attachments_run",
    "idx_task_attachments_user", "idx_task_comments_agent", "idx_task_comments_counted", "idx_task_comments_shown",
    "idx_task_comments_user", "idx_task_dependencies_board", "idx_task_dependencies_waited_for",
    "idx_task_runs_at_work", "idx_task_runs_lease", "idx_task_runs_running", "idx_tasks_archive",
    "idx_tasks_assigned_user", "idx_tasks_board_due", "idx_tasks_board_live", "idx_tasks_board_updated",
    "idx_tasks_created_by", "idx_tasks_flagged", "idx_tasks_living", "idx_tasks_living_newest",
    "idx_tasks_not_before", "idx_tasks_retry", "idx_tasks_trash", "idx_tokens_agent",
    "idx_tokens_connection", "idx_tokens_user", "idx_usage_entries_cost",
    "idx_usage_entries_run", "idx_usage_entries_session", "idx_users_active_organization",
    "idx_webhook_payloads_webhook", "idx_task_runs_hold", "idx_worker_holds_answered", "idx_worker_holds_answerer",
    "uid_worker_holds_open", "uid_agent_questions_external", "uid_agents_board_lead", "uid_agents_board_name",
    "uid_agents_gateway_agent", "uid_agents_gateway_main", "uid_approval_task_links_pending", "uid_approvals_external",
    "uid_board_onboarding_active", "uid_budgets_agent", "uid_budgets_board", "uid_budgets_organization",
    "uid_gateways_instance", "uid_provisioning_jobs_open", "uid_task_runs_running", "uid_users_email",
}  # fmt: skip
ONLY_ON_POSTGRES = {"idx_search_documents_words", "idx_search_vocabulary_keys"}
# Full-text search: what triggers note, and its index; on SQLite words are in tables of FTS5.
SEARCH = {"search_documents", "search_pending", "search_vocabulary"}
SEARCH_ON_SQLITE = {f"search_words{part}" for part in ("", "_config", "_content", "_data", "_docsize", "_idx")}
SEARCH_ON_SQLITE |= {f"search_vocabulary_{part}" for part in ("config", "content", "data", "idx")}

# How an actor reaches the rows of each model that belongs to an organization: a function, or why none is needed.
REACH = {
    "Agent": "mission_control.agents.queries.visible_agents",
    "AgentSoul": "only read together with its agent, which was found first",
    "Approval": "mission_control.approvals.queries.visible_approval",
    "Activity": "only read together with its session, which was found first",
    "AgentSession": "mission_control.runs.sessions.queries.visible_session",
    "ApprovalTask": "only read together with its approval, which was found first",
    "Attachment": "only read together with its task, which was found first",
    "AttachmentContent": "only read together with its attachment, which was found first",
    "Board": "mission_control.boards.models.Board.visible_to",
    "BoardAccess": "the rights themselves: read by http/authentication.py to make an actor",
    "BoardGroup": "mission_control.groups.queries.visible_group",
    "BoardImport": "mission_control.transfer.staged.visible_import",
    "BoardMemory": "mission_control.memory.queries.visible_entry",
    "Budget": "mission_control.agents.usage.queries.visible_budget",
    "ChecklistItem": "only read together with its task, which was found first",
    "Comment": "only read together with its task, which was found first",
    "Connection": "mission_control.agents.connections.queries.visible_connection",
    "CustomField": "mission_control.tasks.custom_fields.queries.visible_field",
    "CustomFieldBoard": "only read together with its field or board, which was found first",
    "CustomFieldValue": "only read together with its task, which was found first",
    "Delivery": "read by the agent it is for, or together with its agent, which was found first; sent by the system",
    "Event": "read by streams, which ask at every batch whether the reader still reaches the board",
    "FigureChange": "only summed up for boards, which were found first",
    "FigureSum": "only summed up for boards, which were found first",
    "FigureTask": "only summed up for boards, which were found first",
    "ForgeState": "only read together with tasks or approvals of its board, which were found first",
    "FiguresCounted": "only read together with its organization, by the system",
    "Gateway": "mission_control.gateways.queries.visible_gateway",
    "GatewayAgentUsage": "only read together with its agent, by the system",
    "GatewayCall": "written and read by processes of this installation for each other",
    "GatewayRequest": "mission_control.gateway_agents.requests.queries.visible_request",
    "GroupMemory": "mission_control.memory.queries.visible_group_entry",
    "Hold": "mission_control.agents.holds.queries.visible_hold",
    "HoldWorker": "only read together with its hold or agent, which was found first",
    "InstalledSkill": "only read together with its skill or gateway, which was found first",
    "Invite": "mission_control.people.organizations.queries.visible_invite",
    "InviteBoardAccess": "only read together with its invitation, which was found first",
    "IdempotencyRecord": "found only by the sender of the request",
    "Job": "mission_control.people.jobs.commands.visible_job",
    "ModelPrice": "mission_control.agents.usage.prices.visible_price",
    "Member": "the rights themselves: read by http/authentication.py to make an actor",
    "Note": "only read together with its task or session, which was found first, or by its agent",
    "Notification": "read by the person that it is for, on boards that this person reaches",
    "OnboardingSession": "only read together with its board, which was found first",
    "ProvisioningJob": "only read together with its agent or gateway, which was found first",
    "Question": "only read together with its board, which was found first",
    "OutgoingDelivery": "mission_control.webhooks.outgoing.queries.visible_outgoing_delivery",
    "OutgoingWebhook": "mission_control.webhooks.outgoing.queries.visible_outgoing_webhook",
    "Run": "only read together with its task, which was found first",
    "Device": "read and written by its person, or by who may change its board",
    "ReachBoard": "read and written by its person alone",
    "ReachChannel": "mission_control.channels.queries.visible_channel",
    "ReachCode": "read and written by its person alone",
    "ReachMessage": "read by its person; those of channels by admins",
    "ReachMessageNeed": "read with its message",
    "ReachNeed": "read by nobody: what the loop keeps of each person's needs",
    "ReachSettings": "read and written by its person alone",
    "SavedView": "mission_control.boards.views.visible_view",
    "SessionUsage": "only read together with its gateway, by the system",
    "ApprovalVote": "only read together with its approval, which was found first",
    "AskedPerson": "only read together with what was asked, which was found first",
    "Snooze": "read and written by its person alone",
    "Skill": "mission_control.gateway_agents.skills.queries.visible_skill",
    "SkillPack": "mission_control.gateway_agents.skills.queries.visible_pack",
    "Tag": "mission_control.tasks.tags.commands.visible_tag",
    "TagAssignment": "only read together with its task or tag, which was found first",
    "Task": "mission_control.tasks.queries.visible_task",
    "TaskDependency": "only read together with its tasks or its board, which were found first",
    "TaskLink": "only read together with its tasks, which were found first",
    "TaskProposal": "only read together with its board, which was found first",
    "UsageEntry": "only summed up for an agent, board or organization, which was found first",
    "User": "people read themselves; others see names only",
    "Webhook": "mission_control.webhooks.incoming.queries.visible_webhook",
    "WebhookPayload": "mission_control.webhooks.incoming.queries.visible_payload",
}
NOBODYS = {
    "AccountEvent", "DeviceCode", "GatewayIdentity", "InstanceSetting", "MailRequest", "Organization", "PasswordReset",
    "Session", "Token",
}  # fmt: skip


@pytest.mark.usefixtures("app")
async def test_handwritten_constraints_and_indexes_exist() -> None:
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
async def test_every_table_has_a_model() -> None:
    listed = (
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()"
        if is_postgres()
        else "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    searched = SEARCH if is_postgres() else SEARCH | SEARCH_ON_SQLITE
    assert {row["name"] for row in await rows(listed)} - searched == {one._meta.db_table for one in models()} | {
        "aerich"
    }


@pytest.mark.usefixtures("app")
async def test_every_table_is_moved_to_postgres() -> None:
    assert {one.name for one in tables()} == {one._meta.db_table for one in models()}
    # A number that the database gives would need its sequence to go on.
    assert [one.__name__ for one in models() if one._meta.pk.generated] == []


def test_every_model_declares_its_visibility(app: Quart) -> None:
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
async def test_every_foreign_key_has_an_index() -> None:
    lacking = set()
    for model in models():
        table = model._meta.db_table
        indexed = await first_columns(table)
        lacking |= {f"{table}.{column}" for column, *_ in await foreign_keys(table) if column not in indexed}
    assert lacking == set()
