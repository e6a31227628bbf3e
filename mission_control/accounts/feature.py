"""What accounts add to the application."""

from mission_control.accounts import (
    access_api,
    api,
    models,
    pages,
    policy,
    reset_mail,
    session_api,
    settings_pages,
    setup,
    welcome_pages,
)
from mission_control.accounts.kinds import ACCOUNT_KINDS
from mission_control.feature import Feature
from mission_control.web.palette import PaletteEntry

accounts = Feature(
    name="accounts",
    models=(models,),
    rules=(policy.rules,),
    account_kinds=ACCOUNT_KINDS,
    blueprints=(
        access_api.api,
        api.api,
        session_api.api,
        pages.pages,
        settings_pages.pages,
        welcome_pages.pages,
    ),
    secret_paths=("/reset/",),
    senders=reset_mail.senders,
    palette=(PaletteEntry("Settings", "/settings", "settings", "profile password token theme", position=50),),
    settings_pages=settings_pages.SETTINGS_PAGES,
    needs_setup=setup.is_setup_pending,
    local_owner=setup.ensure_local_owner,
)
