"""The forge of a remote."""

from __future__ import annotations

from mission_control.client.forges.forgejo import Forgejo
from mission_control.client.forges.github import GitHub
from mission_control.client.forges.gitlab import GitLab
from mission_control.client.forges.places import place_of
from mission_control.client.forges.tokens import token_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from mission_control.client.forges.model import Forge

PROVIDERS = {"github": GitHub, "gitlab": GitLab, "forgejo": Forgejo}


def forge_of(remote_url: str, environment: Mapping[str, str]) -> Forge:
    """The forge, with the token for its host. Raises Problem, which says what is missing and how to give it."""
    place = place_of(remote_url, environment)
    return PROVIDERS[place.provider](place, token_of(place, environment))
