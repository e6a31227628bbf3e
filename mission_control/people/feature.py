"""What the room `people` adds to the application."""

from mission_control.feature import Feature
from mission_control.log.event_log import Kind
from mission_control.people import (
    access,
    account_api,
    account_queries,
    entrance,
    identity_pages,
    job_api,
    job_pages,
    models,
    organization_api,
    organization_entrance,
    organization_pages,
    organization_queries,
    people_pages,
    settings_pages,
    setup,
    verification,
)
from mission_control.people import jobs as job_policy
from mission_control.people import jobs as job_queries
from mission_control.people.jobs import JOBS
from mission_control.people.organization_commands import ensure_membership
from mission_control.web.shell import PaletteEntry

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
        organization_queries.active_organization,
        organization_queries.visible_invite,
        organization_queries.visible_member,
    ),
    blueprints=(
        organization_api.api,
        organization_api.invites_api,
        organization_api.members_api,
        organization_api.work_state_api,
        organization_api.audit_api,
        organization_pages.audit_pages,
        organization_pages.pages,
        people_pages.pages,
        people_pages.people_pages,
        people_pages.join_pages,
    ),
    secret_paths=("/invitations/",),
    regions=people_pages.REGIONS,
    settings_pages=organization_pages.SETTINGS_PAGES,
    senders=organization_entrance.senders,
    ensure_membership=ensure_membership,
)


ACCOUNT_KINDS = {
    "account.set_up": "The installation got its first owner.",
    "account.created": "An account was created: by an invitation, on the command line, or for the identity provider.",
    "account.updated": "Somebody changed their profile.",
    "account.link_invited": "An admin allowed a person of the identity provider to link an account.",
    "account.linked": "An account was linked to a person of the identity provider.",
    "account.deleted": "A person deleted their account.",
    "account.signed_in": "A session began.",
    "account.sessions_ended": "All sessions of a person were ended.",
    "account.sign_in_refused": "E-mail and password did not belong together.",
    "account.signed_out": "A session was ended by its owner.",
    "account.password_changed": "Somebody changed their own password.",
    "account.password_reset": "A password was set with a one-time link.",
    "account.reset_link_made": "A one-time link was made for a person.",
    "token.created": "Somebody made a personal token.",
    "token.revoked": "Somebody revoked a personal token.",
}


accounts = Feature(
    name="accounts",
    models=(models,),
    account_kinds=ACCOUNT_KINDS,
    lookups=(account_queries.own_account,),
    blueprints=(
        account_api.access_api,
        account_api.api,
        account_api.session_api,
        settings_pages.account_pages,
        settings_pages.pages,
        settings_pages.welcome_pages,
    ),
    secret_paths=("/reset/",),
    senders=entrance.senders,
    palette=(PaletteEntry("Settings", "/settings", "settings", "profile password token theme", position=50),),
    settings_pages=settings_pages.SETTINGS_PAGES,
    needs_setup=setup.is_setup_pending,
    local_owner=setup.ensure_local_owner,
)


identity = Feature(
    name="identity",
    account_kinds={
        "account.address_lost": "An address that a person claimed became that of somebody who proved it.",
    },
    blueprints=(identity_pages.pages,),
    senders=verification.senders,
    provider_token=verification.person_of_token,
    delete_at_provider=verification.delete_at_provider,
    prepare=verification.prepare,
)


jobs = Feature(
    name="jobs",
    models=(models,),
    rules=(job_policy.rules,),
    lookups=(job_queries.visible_job,),
    blueprints=(job_api.api, job_pages.pages),
    regions=job_pages.REGIONS,
    palette=(PaletteEntry("Running and finished work", "/work", "hourglass", "jobs imports syncs progress", 90),),
    loops=(JOBS,),
)
