"""What webhooks add to the application."""

from mission_control.feature import Feature
from mission_control.http.body_limit import BodyLimit
from mission_control.live.kinds import Kind
from mission_control.webhooks import api, form_pages, models, pages, queries

webhooks = Feature(
    name="webhooks",
    models=(models,),
    rules=(queries.rules,),
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
        queries.visible_payload,
        queries.visible_webhook,
    ),
    blueprints=(
        api.agent_api,
        api.api,
        api.payload_api,
        pages.pages,
        form_pages.pages,
    ),
    regions=pages.REGIONS,
    body_limits=(BodyLimit("POST", r"/api/v1/boards/[^/]+/webhooks/[^/]+", "webhook_max_payload_bytes"),),
    notices={
        "WEBHOOK EVENT RECEIVED": "webhook",
    },
)
