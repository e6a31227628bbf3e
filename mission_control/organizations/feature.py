"""What organizations add to the application."""

from mission_control.feature import Feature
from mission_control.organizations import (
    api,
    audit_api,
    audit_pages,
    invite_live,
    invite_mail,
    invite_pages,
    invites_api,
    join_pages,
    members_api,
    models,
    organization_pages,
    people_live,
    people_pages,
    policy,
    work_state_api,
)
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
        audit_api.api,
        audit_pages.pages,
        organization_pages.pages,
        invite_pages.pages,
        people_pages.pages,
        join_pages.pages,
    ),
    secret_paths=("/invitations/",),
    regions=(*people_live.REGIONS, *invite_live.REGIONS, *audit_pages.REGIONS),
    settings_pages=(*organization_pages.SETTINGS_PAGES, *people_pages.SETTINGS_PAGES, *audit_pages.SETTINGS_PAGES),
    senders=invite_mail.senders,
    ensure_membership=ensure_membership,
)
