"""The features that the application consists of, each declared in the `feature.py` of its package."""

from quart import Quart

from mission_control import installing, shell
from mission_control.accounts.feature import accounts
from mission_control.activity.feature import activity
from mission_control.agents.feature import agents
from mission_control.approvals.feature import approvals
from mission_control.asks.feature import asks
from mission_control.authn.feature import authn
from mission_control.boards.feature import boards
from mission_control.claims.feature import claims
from mission_control.custom_fields.feature import custom_fields
from mission_control.demo.feature import demo
from mission_control.docs.feature import docs
from mission_control.exports.feature import exports
from mission_control.feature import Feature
from mission_control.gateway_notices.feature import gateway_notices
from mission_control.gateway_requests.feature import gateway_requests
from mission_control.gateway_sessions.feature import gateway_sessions
from mission_control.gateways.feature import gateways
from mission_control.groups.feature import groups
from mission_control.home.feature import home
from mission_control.identity.feature import identity
from mission_control.inbox.feature import inbox
from mission_control.jobs.feature import jobs
from mission_control.live.feature import live
from mission_control.mcp.feature import mcp
from mission_control.memory.feature import memory
from mission_control.metrics.feature import metrics
from mission_control.notifications.feature import notifications
from mission_control.onboarding.feature import onboarding
from mission_control.organizations.feature import organizations
from mission_control.provisioning.feature import provisioning
from mission_control.questions.feature import questions
from mission_control.runs.feature import runs
from mission_control.search.feature import search
from mission_control.sending.feature import sending
from mission_control.skills.feature import skills
from mission_control.souls.feature import souls
from mission_control.tags.feature import tags
from mission_control.tasks.feature import tasks
from mission_control.usage.feature import usage
from mission_control.webhooks.feature import webhooks
from mission_control.work.feature import work

# In the order in which reactions run and the API document lists operations.
FEATURES: tuple[Feature, ...] = (
    authn, work, live, sending, accounts, activity, agents, approvals, boards, claims, custom_fields,
    demo, docs, exports, gateways, gateway_notices, gateway_requests, gateway_sessions, groups, home, identity,
    inbox, jobs, mcp, memory, metrics, asks, notifications, onboarding, organizations, provisioning, questions, runs,
    search, skills, souls, tags, tasks, usage, webhooks, shell.feature,
)  # fmt: skip


def install() -> None:
    """Fill the registries; a no-op when it was done in this process. Everything that runs commands calls it first."""
    installing.install(FEATURES)


def serve(app: Quart) -> None:
    """Let an application serve the features."""
    install()
    installing.serve(app, FEATURES)
