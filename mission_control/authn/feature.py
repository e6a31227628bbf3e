"""What authn adds to the application."""

from mission_control.authn import authentication, lookups
from mission_control.feature import Feature

authn = Feature(
    name="authn",
    on_notify={lookups.CHANNEL: lookups.recheck_local_streams},
    loops=(authentication.WRITER,),
)
