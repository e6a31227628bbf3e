"""Shapes of gateways."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from mission_control.core.schemas import BlankToNone, NonEmptyStr, NotNull, example
from mission_control.gateways.models import Gateway
from mission_control.gateways.reporting import CONNECTED, PAIRING
from mission_control.openclaw.errors import approve_command
from mission_control.openclaw.hello import NEEDED_SCOPES, grants
from mission_control.openclaw.target import url_problem

State = Literal["connecting", "connected", "pairing", "unreachable", "refused"]
LONGEST_NAME, LONGEST_URL, LONGEST_ROOT, LONGEST_TOKEN = 200, 2000, 1000, 4000


def _gateway_url(value: str) -> str:
    """Return an address without what no gateway reads, where people may have left a token."""
    if (problem := url_problem(value)) is not None:
        raise ValueError(problem)
    parts = urlsplit(value.strip())
    return urlunsplit((parts.scheme.lower(), parts.netloc, parts.path, "", ""))


Name = Annotated[NonEmptyStr, Field(max_length=LONGEST_NAME)]
Url = Annotated[str, Field(max_length=LONGEST_URL), AfterValidator(_gateway_url)]
WorkspaceRoot = Annotated[str, Field(max_length=LONGEST_ROOT), AfterValidator(str.strip)]
Token = Annotated[Annotated[str, Field(max_length=LONGEST_TOKEN), AfterValidator(str.strip)] | None, BlankToNone]
NO_EFFECT = "Stored and without effect: gateways stopped accepting connections without a device"


class GatewayCreate(BaseModel):
    """A gateway to add."""

    model_config = example(
        name="Basement", url="wss://gateway.example.org:18789", workspace_root="~/.openclaw", token="..."
    )

    name: Name
    url: Url
    workspace_root: WorkspaceRoot
    allow_insecure_tls: bool = False
    disable_device_pairing: Annotated[bool, Field(description=NO_EFFECT)] = False
    token: Token = None


class GatewayUpdate(BaseModel):
    """Changes of a gateway. Absent fields stay; an absent, null or blank token stays too."""

    model_config = example(name="Basement")

    name: Annotated[Name | None, NotNull] = None
    url: Annotated[Url | None, NotNull] = None
    token: Token = None
    workspace_root: Annotated[WorkspaceRoot | None, NotNull] = None
    allow_insecure_tls: Annotated[bool | None, NotNull] = None
    disable_device_pairing: Annotated[bool | None, NotNull] = None
    clear_token: Annotated[bool, Field(description="Remove the saved token")] = False


class GatewayDeletion(BaseModel):
    """How a gateway is deleted."""

    force: Annotated[bool, Field(description="Delete it although boards use it; they stay, without a gateway")] = False


class GatewayRead(BaseModel):
    """A gateway and how the connection to it is. Its token is never returned."""

    name: str
    url: str
    workspace_root: str
    allow_insecure_tls: bool = False
    disable_device_pairing: bool = False
    id: UUID
    organization_id: UUID
    token: Annotated[str | None, Field(description="Always null; `has_token` says whether one is saved")] = None
    has_token: bool
    state: State
    state_code: Annotated[str | None, Field(description="The reason for programs")]
    last_error: Annotated[str | None, Field(description="The reason for people, and what to do")]
    state_at: datetime
    connected_at: datetime | None
    same_as_id: Annotated[
        UUID | None, Field(description="The gateway that this one is, which is here already: this one is not used")
    ]
    pairing_request_id: str | None
    pairing_device_id: str | None
    pairing_command: Annotated[str | None, Field(description="What to run on the gateway's host, while it is pairing")]
    version: str | None
    protocol: int | None
    role: str | None
    scopes: list[str] | None
    missing_scopes: list[str]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, gateway: Gateway) -> Self:
        """Return the answer for a gateway."""
        own: dict[str, Any] = {name: getattr(gateway, name) for name in cls.model_fields if name in FROM_ROW}
        command = approve_command(gateway.pairing_request_id) if gateway.state == PAIRING else None
        return cls.model_construct(
            **own,
            token=None,
            has_token=gateway.token is not None,
            pairing_command=command,
            missing_scopes=missing_scopes(gateway),
        )


FROM_ROW = set(GatewayRead.model_fields) - {"token", "has_token", "pairing_command", "missing_scopes"}


def missing_scopes(gateway: Gateway) -> list[str]:
    """Return what the gateway does not grant and this program needs; nothing while that is not known."""
    if gateway.scopes is None:
        return []
    granted = tuple(gateway.scopes)
    return [one for one in NEEDED_SCOPES if not grants(granted, one)]


def is_connected(gateway: Gateway) -> bool:
    """Return whether calls can be made."""
    return bool(gateway.state == CONNECTED and gateway.holder is not None)
