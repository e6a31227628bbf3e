"""What demo adds to the application."""

from mission_control.feature import Feature

demo = Feature(
    name="demo",
    account_kinds={
        "account.demo_removed": "The demo's account was deleted.",
    },
)
