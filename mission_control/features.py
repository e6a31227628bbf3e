"""Which features the application consists of."""

from quart import Quart

from mission_control import shell
from mission_control.accounts import access_api, settings_pages
from mission_control.accounts import api as accounts_api
from mission_control.accounts import pages as accounts_pages
from mission_control.activity import api as activity_api
from mission_control.activity import pages as activity_pages
from mission_control.activity.sentences import task_fields as task_sentences
from mission_control.agents import agent_api as agents_agent_api
from mission_control.agents import api as agents_api
from mission_control.agents import coordination_api as agents_coordination_api
from mission_control.agents import edit_pages as agents_edit_pages
from mission_control.agents import first_steps, page_frame, work_state_notices, work_state_pages
from mission_control.agents import main_api as agents_main_api
from mission_control.agents import page_live as agents_page_live
from mission_control.agents import pages as agents_pages
from mission_control.agents import reactions as agents_reactions
from mission_control.agents import souls_api as agents_souls_api
from mission_control.agents import token_api as agents_token_api
from mission_control.agents import token_pages as agents_token_pages
from mission_control.agents import usage_api as agents_usage_api
from mission_control.agents import usage_pages as agents_usage_pages
from mission_control.agents import work_state_api as agents_work_state_api
from mission_control.approvals import api as approvals_api
from mission_control.approvals import pages as approvals_pages
from mission_control.approvals import queue_page as approvals_queue_page
from mission_control.boards import api as boards_api
from mission_control.boards import pages as boards_pages
from mission_control.boards import regions as boards_regions
from mission_control.boards import trash_pages as boards_trash_pages
from mission_control.boards import work_state_api as boards_work_state_api
from mission_control.claims import api as claims_api
from mission_control.claims import completions_api, runs_api, submissions
from mission_control.claims import pages as claims_pages
from mission_control.claims import panel as claims_panel
from mission_control.claims import reactions as claims_reactions
from mission_control.custom_fields import api as custom_fields_api
from mission_control.docs import pages as docs_pages
from mission_control.exports import api as exports_api
from mission_control.groups import api as groups_api
from mission_control.groups import reactions as groups_reactions
from mission_control.identity import bearer as identity_bearer
from mission_control.identity import pages as identity_pages
from mission_control.inbox import agent_api as inbox_agent_api
from mission_control.inbox import api as inbox_api
from mission_control.inbox import callbacks
from mission_control.inbox import pages as inbox_pages
from mission_control.memory import api as memory_api
from mission_control.memory import group_api as group_memory_api
from mission_control.memory import reactions as memory_reactions
from mission_control.metrics import api as metrics_api
from mission_control.onboarding import api as onboarding_api
from mission_control.onboarding import pages as onboarding_pages
from mission_control.organizations import api as organizations_api
from mission_control.organizations import invites_api, members_api
from mission_control.organizations import work_state_api as organizations_work_state_api
from mission_control.questions import api as questions_api
from mission_control.questions import pages as questions_pages
from mission_control.search import api as search_api
from mission_control.search import pages as search_pages
from mission_control.skills import api as skills_api
from mission_control.skills import packs_api as skill_packs_api
from mission_control.skills import reactions as skills_reactions
from mission_control.souls import api as souls_api
from mission_control.tags import agent_api as tags_agent_api
from mission_control.tags import api as tags_api
from mission_control.tasks import agent_api as tasks_agent_api
from mission_control.tasks import api as tasks_api
from mission_control.tasks import (
    attachments_api,
    bulk_api,
    checklist_api,
    checklist_pages,
    panel_parts,
    panel_regions,
)
from mission_control.tasks import decided as tasks_decided
from mission_control.tasks import pages as tasks_pages
from mission_control.tasks import reactions as tasks_reactions
from mission_control.tasks import trash_pages as tasks_trash_pages
from mission_control.tasks.fields import sentences as sentences_of_task_fields
from mission_control.usage import api as usage_api
from mission_control.usage import page_live as usage_page_live
from mission_control.usage import pages as usage_pages
from mission_control.web import regions
from mission_control.webhooks import agent_api as webhooks_agent_api
from mission_control.webhooks import api as webhooks_api

REACTIONS = (
    agents_reactions,
    work_state_notices,
    tasks_reactions,
    tasks_decided,
    submissions,
    claims_reactions,
    groups_reactions,
    skills_reactions,
    memory_reactions,
)
BLUEPRINTS = (
    accounts_api.api,
    access_api.api,
    accounts_pages.pages,
    identity_pages.pages,
    organizations_api.api,
    members_api.api,
    invites_api.api,
    organizations_work_state_api.api,
    settings_pages.pages,
    boards_api.api,
    boards_work_state_api.api,
    boards_trash_pages.pages,
    boards_pages.pages,
    approvals_api.api,
    approvals_pages.pages,
    agents_api.api,
    agents_token_api.api,
    agents_work_state_api.api,
    agents_usage_api.api,
    work_state_pages.pages,
    usage_api.api,
    usage_pages.pages,
    agents_pages.pages,
    agents_edit_pages.pages,
    agents_token_pages.pages,
    agents_usage_pages.pages,
    agents_agent_api.api,
    agents_coordination_api.api,
    agents_main_api.api,
    agents_souls_api.api,
    inbox_api.api,
    inbox_agent_api.api,
    inbox_pages.pages,
    tags_api.api,
    tags_agent_api.api,
    custom_fields_api.api,
    tasks_api.api,
    bulk_api.api,
    checklist_api.api,
    attachments_api.api,
    tasks_agent_api.api,
    claims_api.api,
    completions_api.api,
    runs_api.api,
    groups_api.api,
    memory_api.api,
    group_memory_api.api,
    questions_api.api,
    questions_pages.pages,
    onboarding_api.api,
    onboarding_pages.pages,
    activity_api.api,
    metrics_api.api,
    search_api.api,
    webhooks_api.api,
    webhooks_agent_api.api,
    skills_api.api,
    skill_packs_api.api,
    souls_api.api,
    exports_api.api,
    tasks_pages.pages,
    checklist_pages.pages,
    tasks_trash_pages.pages,
    claims_pages.pages,
    activity_pages.pages,
    docs_pages.pages,
    search_pages.pages,
)

REGIONS = (
    shell.REGIONS,
    boards_pages.INDEX_REGIONS,
    boards_regions.REGIONS,
    panel_regions.REGIONS,
    panel_parts.REGIONS,
    claims_panel.REGIONS,
    approvals_queue_page.REGIONS,
    questions_pages.REGIONS,
    activity_pages.REGIONS,
    agents_page_live.REGIONS,
    page_frame.REGIONS,
    first_steps.REGIONS,
    usage_page_live.REGIONS,
)


def install(app: Quart) -> None:
    """Register every feature's operations and pages."""
    shell.install()
    task_sentences.update(sentences_of_task_fields())
    identity_bearer.install(app, app.config["SETTINGS"])
    callbacks.install(app)
    regions.install(app, [one for some in REGIONS for one in some])
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
