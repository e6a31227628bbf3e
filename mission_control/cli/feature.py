"""What demo adds to the application."""

from mission_control.cli import sign_in_page
from mission_control.feature import Feature

demo = Feature(
    name="demo",
    blueprints=(sign_in_page.pages,),
    secret_paths=("/demo/",),
    account_kinds={
        "account.demo_removed": "The demo's account was deleted.",
    },
)
