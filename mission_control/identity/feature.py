"""What identity adds to the application."""

from mission_control.feature import Feature
from mission_control.identity import flow, pages, verification

identity = Feature(
    name="identity",
    rules=(flow.rules,),
    account_kinds={
        "account.address_lost": "An address that a person claimed became that of somebody who proved it.",
    },
    blueprints=(pages.pages,),
    senders=verification.senders,
    provider_token=verification.person_of_token,
    delete_at_provider=verification.delete_at_provider,
    prepare=verification.prepare,
)
