"""What people type about agents' tokens."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from mission_control.accounts.models import Token
from mission_control.agents.models import Agent
from mission_control.agents.schemas import LONGEST_OVERLAP, Budget, TokenName
from mission_control.agents.token_tab import power_of
from mission_control.core import clock
from mission_control.web.forms import Form

DAY = 86_400
OVERLAPS = [(0, "at once"), (600, "in 10 minutes"), (3600, "in an hour"), (DAY, "in a day"), (7 * DAY, "in a week")]
ENDS = [("never", "Never")] + [
    (str(days * DAY), word)
    for days, word in ((1, "In a day"), (7, "In a week"), (30, "In 30 days"), (90, "In 90 days"), (365, "In a year"))
]
POWERS = [
    ("all", "Everything that the agent may"),
    ("work", "Read and work"),
    ("read", "Only read"),
    ("lead", "Read, work and lead"),
]
KEEP = "keep"
LABELS = {"name": "Name", "may": "It may", "ends": "It ends", "requests_per_minute": "Requests per minute"}

Power = Literal["all", "work", "read", "lead"]
Ends = Annotated[str, Field(pattern=r"^(never|keep|[1-9][0-9]{0,8})$")]


class TokenTraits(Form):
    """The rights, the rate limit and the end of a token; absent fields stay as they are."""

    name: TokenName = ""
    may: Power = "all"
    ends: Ends = KEEP
    requests_per_minute: Budget | None = None

    def body(self, found: Any) -> dict[str, Any]:
        sent = self.model_fields_set
        given: dict[str, Any] = {name: getattr(self, name) for name in ("name", "requests_per_minute") if name in sent}
        if "may" in sent:
            given["scopes"] = None if self.may == "all" else [self.may]
        if "ends" in sent and self.ends != KEEP:
            given["expires_at"] = _moment(self.ends)
        return given


class TokenForm(TokenTraits):
    """A change of a token."""

    def body(self, found: tuple[Agent, Token]) -> dict[str, Any]:
        """Return the change; scopes that the form can only show roughly stay when another choice was not made."""
        traits = super().body(found)
        if self.may == power_of(found[1].scopes):
            traits.pop("scopes", None)
        return traits


class NewTokenForm(TokenTraits):
    """A token that replaces the live ones, which go on for the overlap."""

    overlap_seconds: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP)] = 600

    def body(self, found: Agent) -> dict[str, Any]:
        return super().body(found) | {"overlap_seconds": self.overlap_seconds}


def _moment(ends: str) -> datetime | None:
    return None if ends == "never" else clock.now() + timedelta(seconds=int(ends))


def values_of(token: Token, power: str) -> dict[str, Any]:
    """Return what the form shows for a token."""
    return {"name": token.name, "may": power, "ends": KEEP, "requests_per_minute": token.requests_per_minute}


def successor_values(token: Token | None, power: str) -> dict[str, Any]:
    """Return what the form shows for the next token: the same rights and rate limit, and about the same lifetime."""
    if token is None:
        return {"may": "all", "ends": "never", "overlap_seconds": 0}
    ends = "never"
    if token.expires_at is not None:
        lifetime = (token.expires_at - token.created_at).total_seconds()
        ends = min((value for value, _ in ENDS[1:]), key=lambda value: abs(int(value) - lifetime))
    return values_of(token, power) | {"ends": ends, "overlap_seconds": 600}
