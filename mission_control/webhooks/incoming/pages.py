"""The webhooks of a board as pages: the list, one with what it received, and their forms."""

import json
import shlex
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field
from quart import Blueprint, Response, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.boards.pages import on_board
from mission_control.boards.queries import crew_of, present
from mission_control.core.actor import Actor, can
from mission_control.core.values import Paging, whole_number
from mission_control.database.sql import as_moment, rows
from mission_control.events.broker import News, head_of
from mission_control.events.models import Event
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Fields, Form, FormInvalid, FormValues, VersionedForm, done, go
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Concerns, Reads, Region, View, live_page, rendered
from mission_control.web.shell import dialog_or_page, shell_page
from mission_control.webhooks.forges.providers import NAMES, SIGNATURES, Forge
from mission_control.webhooks.incoming.queries import (
    SAMPLE,
    BoardWebhookPayloadRead,
    BoardWebhookRead,
    HeaderName,
    Repository,
    WebhookTest,
    list_payloads,
    list_webhooks,
    visible_webhook,
)
from mission_control.webhooks.models import Webhook, WebhookPayload

PAYLOADS_OF_A_PAGE = 20
LONGEST_SHOWN = 20_000
EXAMPLE = '{"event": "deploy", "state": "done"}'


@dataclass(frozen=True, slots=True)
class Listed:
    """A webhook in the list: how many calls it received, the last one, and who is notified."""

    webhook: BoardWebhookRead
    calls: int
    last_at: datetime | None
    recipient: str


async def listed(board: Board, base_url: str) -> list[Listed]:
    webhooks, _ = await list_webhooks(board, Paging(limit=200, offset=0))
    found = await rows(
        "SELECT webhook_id, COUNT(*) AS n, MAX(received_at) AS last_at FROM board_webhook_payloads"
        " WHERE board_id = ? GROUP BY webhook_id",
        board.id,
    )
    figures = {str(row["webhook_id"]): (int(row["n"]), as_moment(row["last_at"])) for row in found}
    agents = await rows("SELECT id, name, is_board_lead FROM agents WHERE board_id = ?", board.id)
    names = {str(row["id"]): row["name"] for row in agents}
    lead = next((row["name"] for row in agents if row["is_board_lead"]), "")
    return [
        Listed(
            BoardWebhookRead.of(webhook, base_url),
            *figures.get(str(webhook.id), (0, None)),
            names.get(str(webhook.agent_id), lead),
        )
        for webhook in webhooks
    ]


def text_of(call: BoardWebhookPayloadRead) -> str:
    sent = call.payload
    return sent if isinstance(sent, str) else json.dumps(sent, indent=2, ensure_ascii=False)


def curl_line(webhook: BoardWebhookRead, secret: str = "") -> str:
    url = shlex.quote(webhook.endpoint_url or webhook.endpoint_path)
    json_header = "-H 'Content-Type: application/json'"
    if not webhook.has_secret:
        return f"curl -X POST {url} {json_header} \\\n  -d {shlex.quote(EXAMPLE)}"
    header = webhook.signature_header or "X-Hub-Signature-256"
    key = shlex.quote(secret) if secret else "the-secret"
    return (
        f"body={shlex.quote(EXAMPLE)}\n"
        f"signature=$(printf %s \"$body\" | openssl dgst -sha256 -hmac {key} -r | cut -d' ' -f1)\n"
        f'curl -X POST {url} {json_header} \\\n  -H "{header}: sha256=$signature" -d "$body"'
    )


pages = Blueprint("webhooks_pages", __name__)
LIST, ONE = "webhooks", "webhook"
BOARD = "/boards/<uuid:board_id>/webhooks"
WEBHOOK = f"{BOARD}/<uuid:webhook_id>"
PARTS = "webhooks/parts.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhooksView(View):
    """The webhooks of a board as somebody sees them; `webhook_id` and `page` are those of one of them."""

    board: Board
    base_url: str
    webhook_id: UUID | None = None
    page: int = 1

    @property
    def url(self) -> str:
        return f"/boards/{self.board.id}/webhooks"

    @property
    def may_write(self) -> bool:
        return can(self.actor, "webhook.create", self.board)


def base_url() -> str:
    return str(current_app.config["SETTINGS"].base_url or request.host_url).rstrip("/")


def _view(actor: Actor, board: Board, webhook_id: UUID | None = None) -> WebhooksView:
    page = whole_number(request.args.get("page"), 6) or 1
    name = ONE if webhook_id else LIST
    return WebhooksView(
        actor=actor, pages=(name,), active=f"board-{board.id}", board=board, base_url=base_url(),
        webhook_id=webhook_id, page=page,
    )  # fmt: skip


@pages.get(BOARD)
async def webhooks(board_id: UUID) -> ResponseReturnValue:
    actor, board = await on_board(board_id)
    view, seq = _view(actor, board), await head_of(board.organization_id)
    return await shell_page(
        actor, "webhooks/index.html", active=view.active, view=view, regions=await rendered(LIST, view),
        live_url=f"{view.url}/live?after={seq}",
    )  # fmt: skip


@pages.get(f"{BOARD}/live")
@pages.get(f"{WEBHOOK}/live")
async def live(board_id: UUID, webhook_id: UUID | None = None) -> Response:
    actor, board = await on_board(board_id)
    if webhook_id is not None:
        await visible_webhook(actor, board_id, webhook_id)
    shown = _view(actor, board, webhook_id)

    async def look(viewer: Actor, reads: Reads) -> WebhooksView | None:
        current = await present(board)
        if current is None or not viewer.reads(current):
            return None
        return replace(shown, actor=viewer, board=current, reads=reads)

    return await live_page(actor, look)


async def _list(view: WebhooksView) -> str:
    return render_macro(PARTS, "rows", view=view, webhooks=await listed(view.board, view.base_url))


async def _one(view: WebhooksView) -> BoardWebhookRead | None:
    row = await Webhook.get_or_none(id=view.webhook_id, board_id=view.board.id)
    return None if row is None else BoardWebhookRead.of(row, view.base_url)


async def _head(view: WebhooksView) -> str:
    webhook = await _one(view)
    if webhook is None:
        return render_macro(PARTS, "gone", view=view)
    names = {str(agent["id"]): agent["name"] for agent in await crew_of(view.board)}
    context = {
        "recipient": names.get(str(webhook.agent_id), ""), "curl": curl_line(webhook),
        "forge": NAMES.get(webhook.forge or ""), "headers": SIGNATURES.get(webhook.forge or "", ()),
    }  # fmt: skip
    return render_macro(PARTS, "head", view=view, webhook=webhook, **context)


async def _payloads(view: WebhooksView) -> str:
    webhook = await _one(view)
    if webhook is None:
        return ""
    paging = Paging(limit=PAYLOADS_OF_A_PAGE, offset=(view.page - 1) * PAYLOADS_OF_A_PAGE)
    calls, total = await list_payloads(Webhook(id=webhook.id), paging)
    payloads = [(call, text_of(call)) for call in calls]
    return render_macro(
        "webhooks/payloads.html", "payloads", view=view, webhook=webhook, payloads=payloads, longest=LONGEST_SHOWN,
        total=total, has_more=view.page * PAYLOADS_OF_A_PAGE < total,
    )  # fmt: skip


def _on_board(view: WebhooksView, news: News) -> bool:
    return isinstance(news, Event) and news.board_id == view.board.id


def _on_webhook(view: WebhooksView, news: News) -> bool:
    return isinstance(news, Event) and (news.subject_id == view.webhook_id or news.kind.startswith("agent."))


def _key(view: WebhooksView) -> object:
    return view.board.id, view.webhook_id, view.page, view.may_write, view.base_url


NEWS = ("webhook.", "agent.created", "agent.updated", "agent.deleted")
REGIONS = (
    Region(LIST, "#webhooks", Concerns[WebhooksView](NEWS, (), _on_board), _list, _key),
    Region(ONE, "#webhook-head", Concerns[WebhooksView](NEWS, (), _on_webhook), _head, _key),
    Region(ONE, "#webhook-payloads", Concerns[WebhooksView](("webhook.",), (), _on_webhook), _payloads, _key),
)


@pages.get(WEBHOOK)
async def show(board_id: UUID, webhook_id: UUID) -> ResponseReturnValue:
    actor, board = await on_board(board_id)
    webhook = await visible_webhook(actor, board_id, webhook_id)
    view, seq = _view(actor, board, webhook.id), await head_of(board.organization_id)
    return await shell_page(
        actor, "webhooks/show.html", active=view.active, view=view, webhook=webhook, sample=SAMPLE,
        regions=await rendered(ONE, view), live_url=f"{view.url}/{webhook.id}/live?page={view.page}&after={seq}",
    )  # fmt: skip


LABELS = {
    "description": "Instruction",
    "agent_id": "Recipient",
    "secret": "Secret",
    "signature_header": "Header",
    "repository": "Repository",
}
NEW_SECRETS = (
    ("make", "Make a secret"),
    ("own", "Use a secret of the other system"),
    ("none", "No secret: everybody who knows the address can write to the board"),
)
SECRETS = (("keep", "Leave it as it is"), *NEW_SECRETS[1:])


class _Fields(Form):
    description: str = Field("", max_length=4000)
    repository: Repository = None
    agent_id: UUID | None = None
    signature_header: HeaderName = None
    secret: str | None = Field(None, max_length=500)

    def fields(self, choice: str) -> FormValues:
        """Return the fields of the body; the secret only where one or none was chosen."""
        if choice == "own" and not (self.secret or "").strip():
            raise FormInvalid(self.model_dump() | {"secret": ""}, {"secret": "Enter the secret."})
        if not (about := self.description.strip()) and not self.repository:
            raise FormInvalid(self.model_dump(), {"description": "Enter what an agent should do."})
        fields = self.model_dump(include={"agent_id", "signature_header"})
        fields["description"] = about or f"What becomes of the code in {self.repository}"
        if self.repository:
            fields["repository"] = self.repository
        secrets: dict[str, dict[str, str | None]] = {"own": {"secret": self.secret}, "none": {"secret": None}}
        return fields | secrets.get(choice, {})


class NewWebhookForm(_Fields):
    choice: Literal["make", "own", "none"] = "make"
    forge: Forge | Literal["other"] = "other"

    def body(self, found: object) -> Fields:
        if self.forge == "other":
            self.repository = None
            return self.fields(self.choice)
        if not self.repository:
            raise FormInvalid(self.model_dump(), {"repository": "Enter the address of the repository."})
        return self.fields(self.choice) | {"forge": self.forge}


class WebhookForm(_Fields, VersionedForm):
    choice: Literal["keep", "own", "none"] = "keep"
    enabled: bool = False

    def body(self, found: Webhook) -> Fields:
        return self.fields(self.choice) | {"enabled": self.enabled}

    @classmethod
    def values_of(cls, webhook: Webhook) -> FormValues:
        names = ("description", "agent_id", "signature_header", "enabled", "repository")
        return {name: getattr(webhook, name) for name in names}

    @classmethod
    def shown(cls, webhook: Webhook) -> FormValues:
        return super().shown(webhook) | {"choice": "keep", "secret": ""}


class StateForm(Form):
    enabled: bool = False


async def _form(actor: Actor, found: Board | Webhook, values: Fields, errors: dict[str, str]) -> str:
    board, webhook = (found.board, found) if isinstance(found, Webhook) else (found, None)
    crew, values = await crew_of(board), {"choice": "make", **values}
    return await shell_page(
        actor, "webhooks/form.html", active=f"board-{board.id}", board=board, webhook=webhook, values=values,
        errors=errors, labels=LABELS, agents=[(agent["id"], agent["name"]) for agent in crew],
        secrets=SECRETS if webhook else NEW_SECRETS,
        has_lead=any(agent["is_board_lead"] for agent in crew), forges=NAMES,
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
    forge = NAMES.get(webhook.forge or "")
    context = {"board": board, "webhook": webhook, "secret": secret, "curl": curl, "forge": forge}
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


@action(pages, f"{WEBHOOK}/payloads/<uuid:payload_id>/resends")
async def resend_board_webhook_payload(outcome: Outcome[WebhookPayload, None]) -> ResponseReturnValue:
    names = {str(agent["id"]): agent["name"] for agent in await crew_of(outcome.found.board)}
    name = names.get(str(outcome.answer.agent_id), "The agent")
    return done(_url(outcome.found.webhook), toast=f"{name} is notified again")


async def _deletion(actor: Actor, webhook: Webhook, values: Fields, errors: dict[str, str]) -> str:
    return await dialog_or_page(
        actor, "webhooks/delete_form.html", "delete_form", "Delete this webhook?", active=f"board-{webhook.board_id}",
        back=(_url(webhook), "the webhook"), url=_url(webhook), webhook=webhook,
        calls=await WebhookPayload.filter(webhook_id=webhook.id).count(),
    )  # fmt: skip


@action(pages, f"{WEBHOOK}/deletion", shows=_deletion, page=f"{WEBHOOK}/delete")
async def delete_board_webhook(outcome: Outcome[Webhook, None]) -> ResponseReturnValue:
    return go(f"/boards/{outcome.found.board_id}/webhooks")


def _url(webhook: Webhook) -> str:
    return f"/boards/{webhook.board_id}/webhooks/{webhook.id}"
