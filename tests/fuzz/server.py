"""`mission-control` without limits on how often somebody may be wrong: `python -m tests.fuzz.server serve ...`."""

from mission_control.cli import main
from mission_control.core import limits
from mission_control.exchange import webhooks

WITHOUT_END = 10**9

if __name__ == "__main__":
    for limit in (limits.unknown_tokens, limits.wrong_passwords, limits.wrong_sign_ins_by_address, webhooks.calls):
        limit.count = WITHOUT_END
    main()
