"""The features that the application consists of, each declared in the `feature.py` of its package."""

from quart import Quart

from mission_control import installing, shell
from mission_control.agents.feature import agents, inbox, souls, usage
from mission_control.approvals.feature import approvals
from mission_control.asks.feature import asks
from mission_control.boards.feature import boards, runs
from mission_control.claims.feature import claims
from mission_control.cli.feature import demo
from mission_control.doors.feature import docs, mcp
from mission_control.exchange.feature import exports, webhooks
from mission_control.feature import Feature
from mission_control.fleet.feature import gateway_notices, gateway_sessions, onboarding, provisioning, skills
from mission_control.gateways.feature import gateways
from mission_control.home.feature import gateway_requests, home, notifications, questions
from mission_control.http.feature import authn
from mission_control.knowledge.feature import groups, memory, metrics, search
from mission_control.log.feature import live
from mission_control.people.feature import accounts, identity, jobs, organizations
from mission_control.tasks.feature import activity, custom_fields, tags, tasks
from mission_control.work.feature import sending, work

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
