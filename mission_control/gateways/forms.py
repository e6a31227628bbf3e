"""What people type about gateways."""

from typing import Literal

from mission_control.core.error_codes import ErrorCode
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import Name, Token, Url, WorkspaceRoot
from mission_control.web.forms import Fields, Form, TypedName, VersionedForm

LABELS = {"name": "Name", "url": "Address", "token": "Token", "workspace_root": "Folder for workspaces"}
# Which field a refusal of the gateway is about.
FIELD_OF_CODE: dict[str, str] = {
    ErrorCode.GATEWAY_TOKEN_REFUSED: "token",
    ErrorCode.GATEWAY_VERSION_NOT_SUPPORTED: "url",
    ErrorCode.SAME_GATEWAY: "url",
}
DEFAULT_ROOT = "~/.openclaw"


class NewGatewayForm(Form):
    """A new gateway."""

    name: Name
    url: Url
    token: Token = None
    workspace_root: WorkspaceRoot = DEFAULT_ROOT
    allow_insecure_tls: bool = False


class GatewayForm(VersionedForm, NewGatewayForm):
    """The fields of a gateway. A blank token keeps the saved one."""

    clear_token: bool = False

    def body(self, found: Gateway) -> Fields:
        """Return the change of what was touched: the gateway is not locked while it is tried."""
        return self.model_dump(exclude={"version", *self._untouched})

    @classmethod
    def values_of(cls, gateway: Gateway) -> dict[str, object]:
        return {name: getattr(gateway, name) for name in ("name", "url", "workspace_root", "allow_insecure_tls")}

    @classmethod
    def shown(cls, gateway: Gateway) -> dict[str, object]:
        return super().shown(gateway) | {"token": "", "clear_token": False}


class DeletionForm(TypedName):
    """The deletion of a gateway, although boards use it: the form says what that means."""

    what = "gateway"
    remove_agents: bool = False
    force: Literal[True] = True
