"""What authn adds to the application."""

from mission_control.feature import Feature
from mission_control.http import authentication, lookups

authn = Feature(
    name="authn",
    on_notify={lookups.CHANNEL: lookups.recheck_local_streams},
    loops=(authentication.WRITER,),
)
