"""What gateways say in words where their protocol has no code for it: every text of theirs that this program reads.

`tests/gateway/test_real_texts.py` has a real gateway say each of them.
"""

import re
from enum import Enum


class Said(Enum):
    """A text of gateways, as a pattern; where two versions say it differently, it holds both."""

    UNKNOWN_METHOD = r"^unknown method: \S+"
    # Before FORBIDDEN and MISSING_SCOPE came (2026.3.13).
    MISSING_SCOPE = r"missing scope: (?P<scope>[\w.]+)"
    # The reason with which a connection is closed, where the refusal itself did not arrive.
    PAIRING_REQUIRED = r"pairing required(?:: (?P<reason>[a-z]+(?:-[a-z]+)+))?(?:.*requestId: (?P<request>[\w.:-]+))?"
    AGENT_EXISTS = r"already exists"
    AGENT_MISSING = r"not found|unknown agent|no longer exists"
    LABEL_TAKEN = r"label already in use"
    FILE_UNSUPPORTED = r"unsupported file"
    # Before APPROVAL_NOT_FOUND came (2026.3.13).
    APPROVAL_GONE = r"unknown or expired approval"
    # Somebody else changed the configuration before ours was sent, or before the gateway had loaded ours.
    CONFIG_STALE = r"config changed since|base hash required|was not applied .*superseded"
    # The gateway has stored the patch and restarts because of it: no failure, to be looked at again.
    CONFIG_STORED = r"persisted and .*wait for the gateway to restart"

    def search(self, message: str) -> re.Match[str] | None:
        """Return where a message says it, None where it does not."""
        return re.search(self.value, message, re.IGNORECASE | re.DOTALL)
