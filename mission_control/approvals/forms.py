"""What the forms of the approval pages send."""

from typing import Any, Literal

from pydantic import Field, model_validator

from mission_control.approvals.models import Approval
from mission_control.approvals.schemas import Decision, RejectedTask
from mission_control.web.forms import Fields, Form


class DecisionForm(Form):
    """A person's decision; `from` says whether it comes from a row of the queue or from a dialog."""

    decision: Decision
    note: str | None = Field(None, max_length=4000)
    always: bool = False
    then: RejectedTask = "inbox"
    origin: Literal["row", "dialog", ""] = Field("", alias="from")
    substance: str | None = None
    next: str = "/approvals"

    @model_validator(mode="before")
    @classmethod
    def _rejection(cls, sent: Any) -> Any:
        """A button that says where the task of rejected work goes rejects it."""
        return {"decision": "rejected", **sent} if isinstance(sent, dict) and "then" in sent else sent

    @model_validator(mode="after")
    def _note_when_sent_back(self) -> "DecisionForm":
        if self.decision == "changes_requested" and not self.note:
            raise ValueError("Say what should change.")
        return self

    def body(self, found: Approval) -> Fields:
        always = self.always and self.decision == "approved"
        return self.model_dump(include={"decision", "note", "then", "substance"}) | {"always": always}


class ReopeningForm(Form):
    """The page to go on to after an approval is reopened."""

    next: str = ""
