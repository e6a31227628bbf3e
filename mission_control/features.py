"""Which features the application consists of."""

from quart import Quart

from mission_control import shell
from mission_control.accounts import api as accounts_api
from mission_control.accounts import pages as accounts_pages
from mission_control.accounts import settings_pages
from mission_control.activity import pages as activity_pages
from mission_control.agents import agent_api as agents_agent_api
from mission_control.agents import api as agents_api
from mission_control.agents import pages as agents_pages
from mission_control.agents import reactions as agents_reactions
from mission_control.approvals import api as approvals_api
from mission_control.approvals import pages as approvals_pages
from mission_control.boards import api as boards_api
from mission_control.boards import pages as boards_pages
from mission_control.docs import pages as docs_pages
from mission_control.search import pages as search_pages
from mission_control.tasks import agent_api as tasks_agent_api
from mission_control.tasks import api as tasks_api
from mission_control.tasks import pages as tasks_pages
from mission_control.tasks import reactions as tasks_reactions

REACTIONS = (agents_reactions, tasks_reactions)
BLUEPRINTS = (
    accounts_api.api,
    accounts_pages.pages,
    settings_pages.pages,
    boards_api.api,
    boards_pages.pages,
    approvals_api.api,
    approvals_pages.pages,
    agents_api.api,
    agents_pages.pages,
    agents_agent_api.api,
    tasks_api.api,
    tasks_agent_api.api,
    tasks_pages.pages,
    activity_pages.pages,
    docs_pages.pages,
    search_pages.pages,
)


def install(app: Quart) -> None:
    """Register every feature's operations and pages."""
    shell.install()
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
