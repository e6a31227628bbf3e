"""What the form of a question sends, of a board's or a gateway's."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from mission_control.core.schemas import BlankToNone, NonEmptyStr
from mission_control.questions.schemas import LONGEST_ANSWER
from mission_control.web.forms import Fields, Form


class AnswerForm(Form):
    """A person's answer: an option, their own words, or both."""

    answer: Annotated[NonEmptyStr | None, BlankToNone] = Field(None, max_length=LONGEST_ANSWER)
    option: Annotated[str | None, BlankToNone] = None
    substance: str | None = None
    next: str = "/approvals"

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.answer is None and self.option is None:
            raise ValueError("Fill this in.")
        return self

    def body(self, found: object) -> Fields:
        return {"answer": self.answer, "option_id": self.option, "substance": self.substance}
