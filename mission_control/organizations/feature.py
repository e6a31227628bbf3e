"""What organizations add to the application."""

from mission_control.feature import Feature
from mission_control.live.kinds import Kind
from mission_control.organizations import (
    access,
    api,
    entrance,
    invite_pages,
    invites_api,
    models,
    organization_pages,
    people_pages,
    queries,
)
from mission_control.organizations.commands import ensure_membership

KINDS = {
    "organization.created": Kind("An organization was founded.", "founded", is_named_in_message=True),
    "organization.renamed": Kind(
        "An organization got another name.", "renamed the organization:", is_named_in_message=True
    ),
    "organization.ownership_transferred": Kind(
        "An owner made another person the owner and became an admin.",
        "handed the ownership to",
        is_named_in_message=True,
    ),
    "member.role_changed": Kind("A person got another role in an organization.", "changed the role of"),
    "member.access_changed": Kind("It was changed which boards a person reaches.", "changed the boards of"),
    "member.removed": Kind("A person was taken out of an organization.", "removed"),
    "member.left": Kind("A person left an organization, or deleted their account.", "left the organization"),
    "invite.created": Kind("Somebody was invited.", "invited somebody"),
    "invite.mail_requested": Kind("An invitation is to be sent by mail.", "sends an invitation by mail"),
    "invite.mailed": Kind("An invitation was sent by mail.", "mailed an invitation"),
    "invite.mail_failed": Kind("The mail of an invitation was given up.", "could not mail an invitation"),
    "invite.revoked": Kind("An invitation was deleted.", "revoked an invitation"),
    "invite.accepted": Kind("A person joined by an invitation, or gained by it.", "accepted an invitation"),
    "organization.work_state_changed": Kind(
        "All agents of an organization were paused, stopped, or let run on.", is_named_in_message=True
    ),
}


organizations = Feature(
    name="organizations",
    models=(models,),
    rules=(access.rules,),
    kinds=KINDS,
    account_kinds={
        "organization.deleted": "An organization was deleted with its log.",
    },
    lookups=(
        queries.active_organization,
        queries.visible_invite,
        queries.visible_member,
    ),
    blueprints=(
        api.api,
        invites_api.api,
        api.members_api,
        api.work_state_api,
        invites_api.audit_api,
        organization_pages.audit_pages,
        organization_pages.pages,
        invite_pages.pages,
        people_pages.pages,
        invite_pages.join_pages,
    ),
    secret_paths=("/invitations/",),
    regions=invite_pages.REGIONS,
    settings_pages=organization_pages.SETTINGS_PAGES,
    senders=entrance.senders,
    ensure_membership=ensure_membership,
)
