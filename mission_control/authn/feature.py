"""What authn adds to the application."""

from mission_control.authn import freshness, token_use
from mission_control.feature import Feature

authn = Feature(
    name="authn",
    on_notify={freshness.CHANNEL: freshness.recheck_local_streams},
    loops=(token_use.run_writer,),
    at_stop=(token_use.write_down,),
)
