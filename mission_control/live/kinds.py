"""The kinds of events: what features declare, and nothing else, may be recorded."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event: when it is recorded, and what a feed says was done, when that needs only the thing's name.

    `is_named_in_message`: the thing has no page or is gone; its name stands in the message, behind a colon.
    """

    recorded_when: str
    phrase: str = ""
    is_named_in_message: bool = False


# Of the installed features, by name.
KINDS: dict[str, Kind] = {}
# The kinds of entries of the account log, with when they are recorded.
ACCOUNT_KINDS: dict[str, str] = {}
