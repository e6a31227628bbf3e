"""What accounts add to the application."""

from mission_control.accounts import api, commands, entrance, models, pages, queries, settings_pages, setup
from mission_control.feature import Feature
from mission_control.web.shell import PaletteEntry

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
    rules=(commands.rules,),
    account_kinds=ACCOUNT_KINDS,
    lookups=(queries.own_account,),
    blueprints=(
        api.access_api,
        api.api,
        api.session_api,
        pages.pages,
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
