"""Words of the forges' APIs for how a check ended: the server reads them in webhooks, the worker when it asks."""

PASSED, FAILED = "passed", "failed"
ENDED = {
    **dict.fromkeys(("success", "neutral", "skipped", "warning"), PASSED),
    **dict.fromkeys(
        ("failure", "failed", "error", "cancelled", "canceled", "timed_out", "action_required", "startup_failure",
         "stale"),
        FAILED,
    ),
}  # fmt: skip
