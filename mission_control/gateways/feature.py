"""What gateways add to the application."""

from mission_control.core.actor import Actor, can
from mission_control.feature import Feature
from mission_control.gateways import api, asks, connector, installation, models, page_frame, pages, queries
from mission_control.log.event_log import Kind
from mission_control.web.shell import PaletteEntry


def _may(actor: Actor, board: object) -> bool:
    return can(actor, "gateway.manage", actor.organization_id)


gateways = Feature(
    name="gateways",
    models=(models,),
    rules=(queries.rules,),
    kinds={
        "gateway.created": Kind("A gateway was added.", "added the gateway", is_named_in_message=True),
        "gateway.updated": Kind("A gateway's fields changed.", "changed the gateway", is_named_in_message=True),
        "gateway.deleted": Kind("A gateway was deleted.", "deleted the gateway", is_named_in_message=True),
        "gateway.connected": Kind(
            "The connection to a gateway was made.", "connected to the gateway", is_named_in_message=True
        ),
        "gateway.unreachable": Kind(
            "A gateway cannot be reached any longer.", "cannot reach the gateway", is_named_in_message=True
        ),
        "gateway.pairing_requested": Kind(
            "A gateway waits for its owner to approve this installation.",
            "waits to be approved by the gateway",
            is_named_in_message=True,
        ),
        "gateway.refused": Kind(
            "A gateway refuses the connection; its page says why.",
            "was refused by the gateway",
            is_named_in_message=True,
        ),
    },
    lookups=(queries.visible_gateway,),
    blueprints=(api.api, pages.pages),
    asks=(asks.GatewayAsk(),),
    gateway_tabs=(page_frame.TAB,),
    regions=page_frame.GATEWAY_PAGE.regions,
    palette=(
        PaletteEntry("Gateways", "/gateways", "radio-tower", "openclaw connection", position=45, may=_may),
        PaletteEntry("Add a gateway", "/gateways/new", "plus", "openclaw", position=35, group="Do", may=_may),
    ),
    loops=(connector.HOLDING, connector.ANSWERING),
    on_notify_family={connector.RETRY: connector.retry},
    prepare=installation.keep,
)
