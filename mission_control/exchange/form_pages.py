"""The forms of webhooks: a new one, its fields, its secret, trying it, deleting it."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.boards.queries import crew_of
from mission_control.core.actor import Actor
from mission_control.core.values import NonEmptyStr
from mission_control.exchange.models import Webhook, WebhookPayload
from mission_control.exchange.webhook_pages import BOARD, WEBHOOK, base_url, curl_line
from mission_control.exchange.webhook_queries import BoardWebhookRead, HeaderName, WebhookTest
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Fields, Form, FormInvalid, VersionedForm, done, go, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.shell import shell_page

Instruction = Annotated[NonEmptyStr, Field(max_length=4000)]
LABELS = {"description": "Instruction", "agent_id": "Recipient", "secret": "Secret", "signature_header": "Header"}
NEW_SECRETS = (
    ("make", "Make a secret"),
    ("own", "Use a secret of the other system"),
    ("none", "No secret: everybody who knows the address can write to the board"),
)
SECRETS = (("keep", "Leave it as it is"), *NEW_SECRETS[1:])


class _Fields(Form):
    description: Instruction
    agent_id: UUID | None = None
    signature_header: HeaderName = None
    secret: str | None = Field(None, max_length=500)

    def fields(self, choice: str) -> dict[str, Any]:
        """Return the fields of the body; the secret only where one or none was chosen."""
        if choice == "own" and not (self.secret or "").strip():
            raise FormInvalid(self.model_dump() | {"secret": ""}, {"secret": "Enter the secret."})
        fields = self.model_dump(include={"description", "agent_id", "signature_header"})
        if choice in ("own", "none"):
            fields["secret"] = self.secret if choice == "own" else None
        return fields


class NewWebhookForm(_Fields):
    choice: Literal["make", "own", "none"] = "make"

    def body(self, found: object) -> Fields:
        return self.fields(self.choice)


class WebhookForm(_Fields, VersionedForm):
    choice: Literal["keep", "own", "none"] = "keep"
    enabled: bool = False

    def body(self, found: Webhook) -> Fields:
        return self.fields(self.choice) | {"enabled": self.enabled}

    @classmethod
    def values_of(cls, webhook: Webhook) -> dict[str, object]:
        return {name: getattr(webhook, name) for name in ("description", "agent_id", "signature_header", "enabled")}

    @classmethod
    def shown(cls, webhook: Webhook) -> dict[str, object]:
        return super().shown(webhook) | {"choice": "keep", "secret": ""}


class StateForm(Form):
    enabled: bool = False


pages = Blueprint("webhook_form_pages", __name__)


async def _form(actor: Actor, found: Board | Webhook, values: Fields, errors: dict[str, str]) -> str:
    board, webhook = (found.board, found) if isinstance(found, Webhook) else (found, None)
    crew, values = await crew_of(board), {"choice": "make", **values}
    return await shell_page(
        actor, "webhooks/form.html", active=f"board-{board.id}", board=board, webhook=webhook, values=values,
        errors=errors, labels=LABELS, agents=[(one["id"], one["name"]) for one in crew],
        has_lead=any(one["is_board_lead"] for one in crew), secrets=SECRETS if webhook else NEW_SECRETS,
    )  # fmt: skip


@action(pages, f"{BOARD}/new", form=NewWebhookForm, shows=_form, page=f"{BOARD}/new")
async def create_board_webhook(outcome: Outcome[Board, NewWebhookForm]) -> ResponseReturnValue:
    """Create a webhook; a secret that was made for it is shown this once."""
    webhook = outcome.answer
    if webhook.secret is None:
        return go(f"/boards/{outcome.found.id}/webhooks/{webhook.id}")
    return await _secret_page(outcome.actor, outcome.found, webhook, webhook.secret)


async def _secret_page(actor: Actor, board: Board, webhook: BoardWebhookRead, secret: str) -> Response:
    """Return the page that shows a secret once; no cache keeps it."""
    curl = curl_line(webhook, secret)
    context = {"board": board, "webhook": webhook, "secret": secret, "curl": curl}
    html = await shell_page(actor, "webhooks/secret.html", active=f"board-{board.id}", **context)
    return Response(html, headers={"Cache-Control": "no-store"}, mimetype="text/html")


@action(pages, f"{WEBHOOK}/edit", form=WebhookForm, shows=_form, page=f"{WEBHOOK}/edit")
async def update_board_webhook(outcome: Outcome[Webhook, WebhookForm]) -> ResponseReturnValue:
    return go(_url(outcome.found))


@action(pages, f"{WEBHOOK}/state", performs="update_board_webhook", form=StateForm)
async def switch(outcome: Outcome[Webhook, StateForm]) -> ResponseReturnValue:
    is_on = outcome.form.enabled
    undo = {} if is_on else {"enabled": "true"}
    toast = "Webhook switched on" if is_on else "Webhook switched off; calls get 410"
    return done(_url(outcome.found), toast=toast, undo_action=f"{_url(outcome.found)}/state", undo=undo)


@action(pages, f"{WEBHOOK}/rotations")
async def rotate_board_webhook_secret(outcome: Outcome[Webhook, None]) -> ResponseReturnValue:
    """Give a webhook a new secret, which is shown this once."""
    webhook = BoardWebhookRead.of(await Webhook.get(id=outcome.found.id), base_url())
    return await _secret_page(outcome.actor, outcome.found.board, webhook, outcome.answer.secret)


@action(pages, f"{WEBHOOK}/tests")
async def test_board_webhook(outcome: Outcome[Webhook, WebhookTest]) -> ResponseReturnValue:
    """Try a webhook; the call appears in the list."""
    return done(_url(outcome.found), toast="Test call received")


@action(pages, f"{WEBHOOK}/payloads/<uuid:payload_id>/replays")
async def replay_board_webhook_payload(outcome: Outcome[WebhookPayload, None]) -> ResponseReturnValue:
    names = {str(one["id"]): one["name"] for one in await crew_of(outcome.found.board)}
    name = names.get(str(outcome.answer.agent_id), "The agent")
    return done(_url(outcome.found.webhook), toast=f"{name} is notified again")


async def _deletion(actor: Actor, webhook: Webhook, values: Fields, errors: dict[str, str]) -> str:
    """Ask before a webhook is deleted: a dialog for htmx, else a page."""
    calls = await WebhookPayload.filter(webhook_id=webhook.id).count()
    context = {"board": webhook.board, "webhook": webhook, "calls": calls}
    if is_htmx():
        return render_macro("webhooks/delete_form.html", "delete_dialog", **context)
    return await shell_page(actor, "webhooks/delete.html", active=f"board-{webhook.board_id}", **context)


@action(pages, f"{WEBHOOK}/deletion", shows=_deletion, page=f"{WEBHOOK}/delete")
async def delete_board_webhook(outcome: Outcome[Webhook, None]) -> ResponseReturnValue:
    return go(f"/boards/{outcome.found.board_id}/webhooks")


def _url(webhook: Webhook) -> str:
    return f"/boards/{webhook.board_id}/webhooks/{webhook.id}"
