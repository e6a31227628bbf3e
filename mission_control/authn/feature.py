"""What authn adds to the application."""

from mission_control.authn import freshness, token_use
from mission_control.feature import Feature

authn = Feature(
    name="authn",
    on_notify={freshness.CHANNEL: freshness.forget_here},
    loops=(token_use.write_for_ever,),
    at_stop=(token_use.write_down,),
)
