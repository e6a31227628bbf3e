"""What people type about gateways."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from mission_control.core.error_codes import ErrorCode
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import GatewayCreate, GatewayUpdate, Name, Token, Url, WorkspaceRoot
from mission_control.web.actions import Form, VersionedForm
from mission_control.web.forms import FormInvalid

LABELS = {"name": "Name", "url": "Address", "token": "Token", "workspace_root": "Folder for workspaces"}
# Which field a refusal of the gateway is about.
FIELD_OF_CODE: dict[str, str] = {
    ErrorCode.GATEWAY_TOKEN_REFUSED: "token",
    ErrorCode.GATEWAY_VERSION_NOT_SUPPORTED: "url",
    ErrorCode.SAME_GATEWAY: "url",
}
DEFAULT_ROOT = "~/.openclaw"
DELETE_WORDS = "Type the gateway's name exactly as it is written above."


class NewGatewayForm(Form):
    """A new gateway."""

    name: Name
    url: Url
    token: Token = None
    workspace_root: WorkspaceRoot = DEFAULT_ROOT
    allow_insecure_tls: bool = False

    def body(self, found: None) -> GatewayCreate:
        """Return the gateway to add."""
        return GatewayCreate(**self.model_dump())


class GatewayForm(VersionedForm):
    """The fields of a gateway. A blank token keeps the saved one."""

    name: Name
    url: Url
    token: Token = None
    clear_token: bool = False
    workspace_root: WorkspaceRoot = DEFAULT_ROOT
    allow_insecure_tls: bool = False

    def body(self, found: Gateway) -> GatewayUpdate:
        """Return the change of what was touched: the gateway is not locked while it is tried."""
        return GatewayUpdate(**self.model_dump(exclude={"version", *self._untouched}))

    @classmethod
    def values_of(cls, gateway: Gateway) -> dict[str, Any]:
        """Return what the form shows of a gateway."""
        return {name: getattr(gateway, name) for name in ("name", "url", "workspace_root", "allow_insecure_tls")}

    @classmethod
    def shown(cls, gateway: Gateway) -> dict[str, Any]:
        """Return that with a blank token."""
        return super().shown(gateway) | {"token": "", "clear_token": False}


class TypedName(Form):
    """The gateway's name, typed to be sure."""

    name: str = Field("", max_length=400)

    def compare(self, found: Gateway) -> None:
        """Raise FormInvalid for another name."""
        if self.name.strip() != found.name.strip():
            raise FormInvalid({"typed": self.name}, {"typed": DELETE_WORDS})


class DeletionForm(TypedName):
    """The deletion of a gateway here, which leaves its agents there."""

    def body(self, found: Gateway) -> None:
        """Refuse another name; the operation takes no body."""
        self.compare(found)

    def query(self, ids: Mapping[str, Any]) -> dict[str, Any]:
        """Delete it although boards use it: the form says what that means."""
        return {"force": True}
