"""What identity adds to the application."""

from mission_control.feature import Feature
from mission_control.identity import bearer, pages, policy

identity = Feature(
    name="identity",
    rules=(policy.rules,),
    account_kinds={
        "account.address_lost": "An address that a person claimed became that of somebody who proved it.",
    },
    blueprints=(pages.pages,),
    senders=bearer.senders,
    provider_token=bearer.person_of_token,
    delete_at_provider=bearer.delete_at_provider,
    prepare=bearer.prepare,
)
