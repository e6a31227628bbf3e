"""`mission-control` without limits on how often somebody may be wrong, and without long waits.

`python -m tests.fuzz.server serve ...`: white space of a late answer would keep a client waiting for ten minutes.
"""

from mission_control.cli import main
from mission_control.core import limits
from mission_control.events import wakeup_channels
from mission_control.webhooks.incoming import commands as webhooks

WITHOUT_END = 10**9
MOST_SECONDS = 0.5  # of a wait
end_of_wait = wakeup_channels.end_of_wait

if __name__ == "__main__":
    for limit in (limits.unknown_tokens, limits.wrong_passwords, limits.wrong_sign_ins_by_address, webhooks.calls):
        limit.count = WITHOUT_END
    wakeup_channels.end_of_wait = lambda seconds: end_of_wait(min(seconds, MOST_SECONDS))
    main()
