"""Forms for signing in and for one's own account."""

from datetime import timedelta
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from mission_control.accounts.models import User
from mission_control.accounts.queries import NewPassword, TypedPassword
from mission_control.core import clock
from mission_control.core.token_scopes import PersonScope
from mission_control.web.forms import Fields, Form, FormInvalid, VersionedForm


def _address(text: str) -> str:
    name, at, host = text.rpartition("@")
    if not (name and at and host) or any(letter.isspace() for letter in text):
        raise ValueError("Enter an e-mail address such as mara@example.org")
    return text


def zone(text: str | None) -> str | None:
    """Refuse a time zone that does not exist."""
    if text is not None and text not in available_timezones():
        raise ValueError("Choose a time zone of the list, such as Europe/Zurich")
    return text


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
OptionalLine = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] | None
Email = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=320), AfterValidator(_address)]


class SetupForm(BaseModel):
    """The first owner and their organization."""

    code: Line
    organization_name: Line
    name: Line
    email: Email
    password: NewPassword
    timezone: Annotated[str | None, AfterValidator(zone)] = None


class SignInForm(BaseModel):
    """Sign in with e-mail and password."""

    email: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=320)]
    password: TypedPassword
    next: str = "/"


class ResetForm(BaseModel):
    """A new password, by a link."""

    password: NewPassword
    ends_others: bool | None = None


class ProfileForm(VersionedForm):
    """What others read about a person."""

    name: Line
    preferred_name: OptionalLine = None
    timezone: Annotated[str | None, AfterValidator(zone)] = None


class WelcomeForm(Form):
    """What is asked on the first visit, and where to go on."""

    name: Line
    timezone: Annotated[str | None, AfterValidator(zone)] = None
    next: str = "/"


class DeleteAccountForm(Form):
    """The word, typed, with which an account is deleted."""

    typed: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""

    def body(self, found: None) -> None:
        if self.typed.lower() != "delete":
            raise FormInvalid(self.model_dump(), {"typed": "Type the word delete."})


class TokenForm(Form):
    """A new personal token."""

    token_name: Line
    may: PersonScope = "work"
    days: Annotated[int | None, Field(ge=1, le=3650)] = None

    def body(self, found: User) -> Fields:
        ends = clock.now() + timedelta(days=self.days) if self.days else None
        return {"name": self.token_name, "expires_at": ends, "scopes": [self.may]}
