"""The forms of outgoing webhooks: making and changing one, its secret, pausing, testing, and sending again."""

from datetime import timedelta
from typing import Literal
from uuid import UUID

from pydantic import Field
from quart import Response
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core import times
from mission_control.core.actor import Actor, require
from mission_control.core.secrets import decrypt
from mission_control.core.values import Schema
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Fields, Form, FormInvalid, FormValues, VersionedForm, done, go
from mission_control.web.shell import dialog_or_page, shell_page
from mission_control.webhooks.models import OutgoingDelivery, OutgoingWebhook
from mission_control.webhooks.outgoing.api import key_of_installation
from mission_control.webhooks.outgoing.kinds import families, family_words, read_kinds
from mission_control.webhooks.outgoing.pages import BOARD, HOME, ONE, SPANS, active_of, board_asked, list_of, pages
from mission_control.webhooks.outgoing.queries import OutgoingDeliveryRead, OutgoingWebhookRead

LABELS = {
    "description": "What it is for", "url": "Address", "which": "Events", "groups": "Events", "names": "Single events",
}  # fmt: skip


class _Fields(Schema):
    """What a form says of a webhook: `groups` are families of events, `names` single ones, between spaces."""

    description: str = ""
    url: str = ""
    which: Literal["all", "some"] = "all"
    groups: list[str] = Field(default_factory=list)
    names: str = ""

    def fields(self) -> FormValues:
        kinds: list[str] = []
        if self.which == "some":
            try:
                kinds = read_kinds([*self.groups, *self.names.split()])
            except ValueError as error:
                sentence = f"{str(error)[:1].upper()}{str(error)[1:]}."
                raise FormInvalid(self.model_dump(), {"names": sentence}) from None
            if not kinds:
                raise FormInvalid(self.model_dump(), {"groups": "Choose at least one kind of events."})
        return {"description": self.description, "url": self.url, "kinds": kinds}


class NewOutgoingForm(_Fields, Form):
    board_id: UUID | None = None

    def body(self, found: object) -> Fields:
        return self.fields() | {"board_id": self.board_id}


class OutgoingForm(_Fields, VersionedForm):
    def body(self, found: OutgoingWebhook) -> Fields:
        return self.fields()

    @classmethod
    def values_of(cls, webhook: OutgoingWebhook) -> FormValues:
        return {
            "description": webhook.description,
            "url": decrypt(webhook.url, key_of_installation()),
            "which": "some" if webhook.kinds else "all",
            "groups": [kind for kind in webhook.kinds if kind.endswith(".*")],
            "names": " ".join(kind for kind in webhook.kinds if not kind.endswith(".*")),
        }


async def _form(actor: Actor, webhook: OutgoingWebhook | None, values: Fields, errors: dict[str, str]) -> str:
    board = await _board_of(actor, webhook)
    groups = [(f"{one}.*", family_words(one), len(names)) for one, names in families().items()]
    values = {"which": "all", "groups": [], **values}
    return await shell_page(
        actor, "webhooks/outgoing_form.html", active=active_of(board), board=board, webhook=webhook, values=values,
        errors=errors, labels=LABELS, groups=groups, back=_url(webhook) if webhook else list_of(board),
    )  # fmt: skip


async def _board_of(actor: Actor, webhook: OutgoingWebhook | None) -> Board | None:
    if webhook is not None:
        return webhook.board if webhook.board_id is not None else None
    board_id = board_asked()
    board = None if board_id is None else await visible_board(actor, board_id)
    require(actor, "outgoing_webhook.create", board)
    return board


def _url(webhook: OutgoingWebhook) -> str:
    return f"/outgoing-webhooks/{webhook.id}"


async def _created(outcome: Outcome[None, NewOutgoingForm]) -> ResponseReturnValue:
    return await _secret_page(outcome.actor, outcome.answer, outcome.answer.secret)


@action(pages, f"{HOME}/new", performs="create_outgoing_webhook", form=NewOutgoingForm, shows=_form, page=f"{HOME}/new")
async def create_for_organization(outcome: Outcome[None, NewOutgoingForm]) -> ResponseReturnValue:
    """Create an outgoing webhook of the organization; its secret is shown this once."""
    return await _created(outcome)


@action(
    pages, f"{BOARD}/new", performs="create_outgoing_webhook", form=NewOutgoingForm, shows=_form, page=f"{BOARD}/new"
)
async def create_for_board(outcome: Outcome[None, NewOutgoingForm]) -> ResponseReturnValue:
    """Create an outgoing webhook of a board; its secret is shown this once."""
    return await _created(outcome)


async def _secret_page(actor: Actor, webhook: OutgoingWebhookRead, secret: str) -> Response:
    """Return the page that shows a secret once; no cache keeps it."""
    active = "settings" if webhook.board_id is None else f"board-{webhook.board_id}"
    html = await shell_page(actor, "webhooks/outgoing_secret.html", active=active, webhook=webhook, secret=secret)
    return Response(html, headers={"Cache-Control": "no-store"}, mimetype="text/html")


@action(pages, f"{ONE}/edit", form=OutgoingForm, shows=_form, page=f"{ONE}/edit")
async def update_outgoing_webhook(outcome: Outcome[OutgoingWebhook, OutgoingForm]) -> ResponseReturnValue:
    return go(_url(outcome.found))


@action(pages, f"{ONE}/rotations")
async def rotate_outgoing_webhook_secret(outcome: Outcome[OutgoingWebhook, None]) -> ResponseReturnValue:
    """Give an outgoing webhook a new secret, which is shown this once."""
    webhook = OutgoingWebhookRead.of(outcome.found, url="", waiting=0, last_sent_at=None)
    webhook.former_until = outcome.answer.former_until
    return await _secret_page(outcome.actor, webhook, outcome.answer.secret)


@action(pages, f"{ONE}/pauses")
async def pause_outgoing_webhook(outcome: Outcome[OutgoingWebhook, None]) -> ResponseReturnValue:
    url = _url(outcome.found)
    return done(url, toast="Webhook paused", undo_action=f"{url}/resumptions")


class ResumptionForm(Form):
    skip_missed: bool = False


@action(pages, f"{ONE}/resumptions", form=ResumptionForm)
async def resume_outgoing_webhook(outcome: Outcome[OutgoingWebhook, ResumptionForm]) -> ResponseReturnValue:
    if outcome.found.state == "on":
        return done(_url(outcome.found), toast="Everything that waits is tried now")
    what = "from now on" if outcome.form.skip_missed else "what was missed is sent"
    return done(_url(outcome.found), toast=f"Webhook resumed, {what}")


@action(pages, f"{ONE}/tests")
async def test_outgoing_webhook(outcome: Outcome[OutgoingWebhook, None]) -> ResponseReturnValue:
    """Send a test message; how it went appears in the list, with the receiver's own words."""
    test: OutgoingDeliveryRead = outcome.answer
    sentence = test.last_error or f"The receiver took the test message ({test.status})"
    return done(_url(outcome.found), toast=sentence)


class ResendForm(Form):
    """How long ago what is to be sent again began, in hours."""

    hours: Literal["1", "24", "168", "720"]

    def body(self, found: object) -> Fields:
        return {"since": times.clock_now() - timedelta(hours=int(self.hours))}


@action(pages, f"{ONE}/resends", form=ResendForm)
async def resend_outgoing_webhook(outcome: Outcome[OutgoingWebhook, ResendForm]) -> ResponseReturnValue:
    return done(_url(outcome.found), toast=f"What happened in {dict(SPANS)[outcome.form.hours]} is sent again")


@action(pages, f"{ONE}/deliveries/<uuid:outgoing_delivery_id>/resends")
async def resend_outgoing_delivery(outcome: Outcome[OutgoingDelivery, None]) -> ResponseReturnValue:
    return done(_url(outcome.found.webhook), toast="The message is sent again")


async def _deletion(actor: Actor, webhook: OutgoingWebhook, values: Fields, errors: dict[str, str]) -> str:
    return await dialog_or_page(
        actor, "webhooks/outgoing_delete_form.html", "delete_form", "Delete this outgoing webhook?",
        active=active_of(await _board_of(actor, webhook)), back=(_url(webhook), "the webhook"),
        webhook=webhook, url=_url(webhook),
    )  # fmt: skip


@action(pages, f"{ONE}/deletion", shows=_deletion, page=f"{ONE}/delete")
async def delete_outgoing_webhook(outcome: Outcome[OutgoingWebhook, None]) -> ResponseReturnValue:
    return go(list_of(await _board_of(outcome.actor, outcome.found)))
