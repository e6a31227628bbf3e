"""What the forms of webhooks send."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from mission_control.core.schemas import NonEmptyStr
from mission_control.web.actions import Form, VersionedForm
from mission_control.web.forms import FormInvalid
from mission_control.webhooks.models import Webhook
from mission_control.webhooks.queries import SAMPLE, BoardWebhookCreate, BoardWebhookUpdate, HeaderName, WebhookTest

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
        fields: dict[str, Any] = {
            "description": self.description,
            "agent_id": self.agent_id,
            "signature_header": self.signature_header,
        }
        if choice in ("own", "none"):
            fields["secret"] = self.secret if choice == "own" else None
        return fields


class NewWebhookForm(_Fields):
    """A new webhook."""

    choice: Literal["make", "own", "none"] = "make"

    def body(self, found: Any) -> BoardWebhookCreate:
        """Return the webhook to create."""
        return BoardWebhookCreate(**self.fields(self.choice))


class WebhookForm(_Fields, VersionedForm):
    """The fields of a webhook."""

    choice: Literal["keep", "own", "none"] = "keep"
    enabled: bool = False

    def body(self, found: Webhook) -> BoardWebhookUpdate:
        """Return the change."""
        return BoardWebhookUpdate(enabled=self.enabled, **self.fields(self.choice))

    @classmethod
    def values_of(cls, webhook: Webhook) -> dict[str, Any]:
        """Return what the form shows of a webhook."""
        return {name: getattr(webhook, name) for name in ("description", "agent_id", "signature_header", "enabled")}

    @classmethod
    def shown(cls, webhook: Webhook) -> dict[str, Any]:
        """Return that with what happens to the secret."""
        return super().shown(webhook) | {"choice": "keep", "secret": ""}


class StateForm(Form):
    """Whether a webhook takes calls."""

    enabled: bool = False

    def body(self, found: Webhook) -> BoardWebhookUpdate:
        """Return the change."""
        return BoardWebhookUpdate(enabled=self.enabled)


class TestForm(Form):
    """A call to try a webhook with."""

    __test__ = False
    content: str = Field(SAMPLE, max_length=100_000)

    def body(self, found: Webhook) -> WebhookTest:
        """Return the call."""
        return WebhookTest.model_validate({"content": self.content})


class WebhookDeletionForm(Form):
    """That a webhook is deleted."""

    def body(self, found: Webhook) -> None:
        """The operation takes no body."""

    def query(self, ids: Mapping[str, Any]) -> Mapping[str, Any]:
        """Nor a query."""
        return {}
