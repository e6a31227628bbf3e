"""What the forms of webhooks send."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from mission_control.core.schemas import NonEmptyStr
from mission_control.web.forms import Fields, Form, FormInvalid, VersionedForm
from mission_control.webhooks.models import Webhook
from mission_control.webhooks.queries import HeaderName

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
    """A new webhook."""

    choice: Literal["make", "own", "none"] = "make"

    def body(self, found: Any) -> Fields:
        return self.fields(self.choice)


class WebhookForm(_Fields, VersionedForm):
    """The fields of a webhook."""

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
    """Whether a webhook takes calls."""

    enabled: bool = False
