"""What the room `exchange` adds to the application."""

from mission_control.exchange import (
    export_api,
    export_pages,
    form_pages,
    models,
    staged,
    webhook_api,
    webhook_pages,
    webhook_queries,
)
from mission_control.feature import Feature
from mission_control.http.body_limit import BodyLimit
from mission_control.log.event_log import Kind

webhooks = Feature(
    name="webhooks",
    models=(models,),
    rules=(webhook_queries.rules,),
    kinds={
        "webhook.created": Kind(
            "A webhook was created, by which other systems write to a board.",
            "made the webhook",
            is_named_in_message=True,
        ),
        "webhook.updated": Kind(
            "A webhook's fields or its secret changed.", "changed the webhook", is_named_in_message=True
        ),
        "webhook.secret_rotated": Kind(
            "A webhook got a new random secret.", "changed the secret of the webhook", is_named_in_message=True
        ),
        "webhook.deleted": Kind(
            "A webhook was deleted with what it had received.", "deleted the webhook", is_named_in_message=True
        ),
        "webhook.received": Kind(
            "A webhook received a call; its payload is in the board's memory.",
            "took a call of the webhook",
            is_named_in_message=True,
        ),
        "webhook.replayed": Kind(
            "A person had an agent notified of a payload again.",
            "sent again what came by the webhook",
            is_named_in_message=True,
        ),
        "webhook.notified": Kind("An agent received the notice of a payload.", is_named_in_message=True),
        "webhook.notify_failed": Kind("The notice of a payload was given up.", is_named_in_message=True),
    },
    lookups=(
        webhook_queries.visible_payload,
        webhook_queries.visible_webhook,
    ),
    blueprints=(
        webhook_api.agent_api,
        webhook_api.api,
        webhook_api.payload_api,
        webhook_pages.pages,
        form_pages.pages,
    ),
    regions=webhook_pages.REGIONS,
    body_limits=(BodyLimit("POST", r"/api/v1/boards/[^/]+/webhooks/[^/]+", "webhook_max_payload_bytes"),),
    notices={
        "WEBHOOK EVENT RECEIVED": "webhook",
    },
)


exports = Feature(
    name="exports",
    models=(models,),
    rules=(staged.rules,),
    kinds={
        "board.imported": Kind("A board was created from a file.", "made from a file the board"),
    },
    lookups=(staged.visible_import,),
    blueprints=(export_api.api, export_pages.pages),
    settings_pages=(export_pages.SETTINGS,),
    body_limits=(
        BodyLimit("POST", "/api/v1/boards/imports?", "import_max_bytes"),
        BodyLimit("POST", "/settings/import-export", "import_max_bytes"),
    ),
)
