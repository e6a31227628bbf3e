"""Outgoing webhooks and what they sent, over HTTP, for people."""

from quart import current_app

from mission_control.boards.queries import visible_board, visible_board_here
from mission_control.core.actor import Actor, require
from mission_control.core.values import OK, ErrorResponse, JsonObject, OkResponse, Page, page
from mission_control.http.operation_api import Api
from mission_control.http.retries import committed
from mission_control.webhooks.models import OutgoingDelivery, OutgoingWebhook
from mission_control.webhooks.outgoing import commands as outgoing
from mission_control.webhooks.outgoing.queries import (
    OutgoingDeliveryDetail,
    OutgoingDeliveryQuery,
    OutgoingDeliveryRead,
    OutgoingWebhookCreate,
    OutgoingWebhookCreated,
    OutgoingWebhookQuery,
    OutgoingWebhookRead,
    OutgoingWebhookResend,
    OutgoingWebhookResumption,
    OutgoingWebhookSecret,
    OutgoingWebhookUpdate,
    deliveries_of,
    read_webhooks,
    webhooks_at,
)
from mission_control.webhooks.outgoing.sending import bodies_of

api = Api(__name__, "outgoing-webhooks", below="/outgoing-webhooks")
ONE = "/<outgoing_webhook_id>"


def key_of_installation() -> str:
    key: str = current_app.config["SECRET_KEY"]
    return key


def _allows_private() -> bool:
    return bool(current_app.config["SETTINGS"].outbound_allow_private)


async def _read(webhook: OutgoingWebhook) -> OutgoingWebhookRead:
    [found] = await read_webhooks([webhook], key_of_installation())
    return found


@api.get("", Page[OutgoingWebhookRead])
async def list_outgoing_webhooks(actor: Actor, query: OutgoingWebhookQuery) -> JsonObject:
    """List the outgoing webhooks of a board, or without `board_id` of the organization itself, newest first."""
    board = None if query.board_id is None else await visible_board_here(actor, query.board_id)
    require(actor, "outgoing_webhook.list", board)
    found, total = await webhooks_at(actor.organization_id, query.board_id, query)
    return page(await read_webhooks(found, key_of_installation()), total, query)


@api.post("", errors={409: ErrorResponse})
async def create_outgoing_webhook(actor: Actor, data: OutgoingWebhookCreate) -> OutgoingWebhookCreated:
    """Send what happens on a board, or in the organization, to an address, from now on.

    Messages are signed as Standard Webhooks with the secret, which is in this answer and never again.
    """
    board = None if data.board_id is None else await visible_board(actor, data.board_id)
    webhook, secret = await outgoing.create_outgoing_webhook(
        actor, board, data, key_of_installation(), allow_private=_allows_private()
    )
    return OutgoingWebhookCreated.model_construct(**dict(await _read(webhook)), secret=secret)


@api.get(ONE, rule="outgoing_webhook.read")
async def get_outgoing_webhook(actor: Actor, webhook: OutgoingWebhook) -> OutgoingWebhookRead:
    """Read an outgoing webhook."""
    return await _read(webhook)


@api.patch(ONE, rule="outgoing_webhook.update")
async def update_outgoing_webhook(
    actor: Actor, webhook: OutgoingWebhook, data: OutgoingWebhookUpdate
) -> OutgoingWebhookRead:
    """Change the fields of an outgoing webhook that are sent. Messages that wait go to a new address, too."""
    return await _read(
        await outgoing.update_outgoing_webhook(
            actor, webhook, data, key_of_installation(), allow_private=_allows_private()
        )
    )


@api.delete(ONE, rule="outgoing_webhook.delete")
async def delete_outgoing_webhook(actor: Actor, webhook: OutgoingWebhook) -> OkResponse:
    """Delete an outgoing webhook with the log of what it sent; what waits to be sent is dropped."""
    await outgoing.delete_outgoing_webhook(actor, webhook)
    return OK


@api.post(f"{ONE}/secret-rotations", rule="outgoing_webhook.rotate_secret")
async def rotate_outgoing_webhook_secret(actor: Actor, webhook: OutgoingWebhook) -> OutgoingWebhookSecret:
    """Give an outgoing webhook a new secret.

    It is returned this once. For a day messages carry a second signature, by the secret before.
    """
    webhook, secret = await outgoing.rotate_outgoing_secret(actor, webhook, key_of_installation())
    return OutgoingWebhookSecret(outgoing_webhook_id=webhook.id, secret=secret, former_until=webhook.former_until)


@api.post(f"{ONE}/pauses", rule="outgoing_webhook.pause")
async def pause_outgoing_webhook(actor: Actor, webhook: OutgoingWebhook) -> OutgoingWebhookRead:
    """Send nothing until somebody resumes it. What happens in the pause can be sent then."""
    return await _read(await outgoing.pause_outgoing_webhook(actor, webhook))


@api.post(f"{ONE}/resumptions", rule="outgoing_webhook.resume")
async def resume_outgoing_webhook(
    actor: Actor, webhook: OutgoingWebhook, data: OutgoingWebhookResumption
) -> OutgoingWebhookRead:
    """Send again, also where Mission Control paused it. What was missed is sent first, unless `skip_missed`.

    One that is on and whose receiver fails tries at once what waits, and what it gave up since then.
    """
    return await _read(await outgoing.resume_outgoing_webhook(actor, webhook, skip_missed=data.skip_missed))


@api.post(f"{ONE}/tests", rule="outgoing_webhook.test", is_atomic=False)
async def test_outgoing_webhook(actor: Actor, webhook: OutgoingWebhook) -> OutgoingDeliveryRead:
    """Send a test message now and return how the receiver answered, after at most 15 seconds. It is not tried again."""
    test = await outgoing.tried(webhook)

    async def store() -> OutgoingDeliveryRead:
        return OutgoingDeliveryRead.of(await outgoing.store_test(actor, webhook, test))

    return await committed(actor, store) or OutgoingDeliveryRead.of(test)


@api.post(f"{ONE}/resends", rule="outgoing_webhook.resend")
async def resend_outgoing_webhook(
    actor: Actor, webhook: OutgoingWebhook, data: OutgoingWebhookResend
) -> OutgoingWebhookRead:
    """Send all events since a moment again, with the ids that they had. What is not in the log is not sent again."""
    return await _read(await outgoing.resend_since(actor, webhook, data.since))


@api.get(f"{ONE}/deliveries", Page[OutgoingDeliveryRead], rule="outgoing_webhook.read")
async def list_outgoing_deliveries(actor: Actor, webhook: OutgoingWebhook, query: OutgoingDeliveryQuery) -> JsonObject:
    """List what an outgoing webhook sent or is to send, newest first: the last 1,000 messages of 30 days."""
    found, total = await deliveries_of(webhook.id, query)
    return page([OutgoingDeliveryRead.of(one) for one in found], total, query)


@api.get(f"{ONE}/deliveries/<outgoing_delivery_id>", rule="outgoing_webhook.read")
async def get_outgoing_delivery(actor: Actor, delivery: OutgoingDelivery) -> OutgoingDeliveryDetail:
    """Read one message of an outgoing webhook, with its body."""
    return OutgoingDeliveryDetail.of(delivery, body=(await bodies_of([delivery])).get(delivery.id))


@api.post(
    f"{ONE}/deliveries/<outgoing_delivery_id>/resends", rule="outgoing_webhook.resend", errors={409: ErrorResponse}
)
async def resend_outgoing_delivery(actor: Actor, delivery: OutgoingDelivery) -> OutgoingDeliveryRead:
    """Send a message again, with the id that it had, so that a receiver knows it."""
    return OutgoingDeliveryRead.of(await outgoing.resend_outgoing_delivery(actor, delivery))
