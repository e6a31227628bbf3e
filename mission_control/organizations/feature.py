"""What organizations add to the application."""

from mission_control.feature import Feature
from mission_control.organizations import api, invites_api, members_api, models, people_pages, policy, work_state_api
from mission_control.organizations.commands import ensure_membership
from mission_control.organizations.kinds import KINDS

organizations = Feature(
    name="organizations",
    models=(models,),
    rules=(policy.rules,),
    kinds=KINDS,
    account_kinds={
        "organization.deleted": "An organization was deleted with its log.",
    },
    blueprints=(
        api.api,
        invites_api.api,
        members_api.api,
        work_state_api.api,
        people_pages.pages,
    ),
    settings_pages=people_pages.SETTINGS_PAGES,
    ensure_membership=ensure_membership,
)
