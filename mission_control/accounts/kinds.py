"""The kinds of entries of the account log, and when they are recorded."""

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
