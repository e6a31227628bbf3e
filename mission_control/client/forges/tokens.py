"""Which token is for which host: one of the environment goes to its own host alone, as the forges' programs have it."""

from __future__ import annotations

from typing import NamedTuple

from mission_control.client.forges import settings
from mission_control.client.forges.places import FORGES, HOSTS, Place, declared
from mission_control.client.problems import NotSignedIn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VARIABLES = {
    "github": ("GH_TOKEN", "GITHUB_TOKEN"),
    "gitlab": ("GITLAB_TOKEN",),
    "forgejo": ("FORGEJO_TOKEN", "GITEA_TOKEN"),
}
CODEBERG, GITEA = ("FORGEJO_TOKEN",), ("GITEA_TOKEN",)  # two public hosts of one kind
ENTERPRISE = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")  # GitHub's for another host
SIGN_IN = {
    "github": "gh auth login --hostname {host}",
    "gitlab": "glab auth login --hostname {host}",
    "forgejo": "tea login add --url {web}",
}


class Token(NamedTuple):
    secret: str
    source: str


def token_of(place: Place, environment: Mapping[str, str]) -> Token:
    variables = variables_for(place, environment)
    for variable in variables:
        if secret := settings.checked(environment.get(variable, "").strip()):
            return Token(secret, variable)
    if place.provider == "github" and (secret := settings.gh(place.host, environment)):
        return Token(secret, f"gh's settings for {place.host}")
    for provider, program, stored in (("gitlab", "glab", settings.glab), ("forgejo", "tea", settings.tea)):
        if place.provider == provider and (secret := stored(environment).get(place.host, "")):
            return Token(secret, f"{program}'s settings for {place.host}")
    raise NotSignedIn(f"There is no token for {place.host}. {how_to_give(place, variables)}")


def how_to_give(place: Place, variables: tuple[str, ...]) -> str:
    command = SIGN_IN[place.provider].format(host=place.host, web=place.web)
    if variables:
        return f"Set {variables[0]}, or run `{command}`."
    first = VARIABLES[place.provider][0]
    return (
        f"Run `{command}`. ({first} of the environment is for another host; it is for this one with"
        f" {FORGES}={place.provider}={place.web}.)"
    )


def variables_for(place: Place, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The variables whose token is for this host: no other host is sent it."""
    if place.provider == "github":
        is_public = place.host == "github.com" or place.host.endswith(".ghe.com")
        is_own = place.host in _own_hosts(place.provider, environment)
        return VARIABLES["github"] if is_public else ENTERPRISE if is_own else ()
    if own := next(_own_hosts(place.provider, environment), ""):
        return VARIABLES[place.provider] if place.host == own else ()
    public = {"gitlab.com": VARIABLES["gitlab"], "codeberg.org": CODEBERG, "gitea.com": GITEA}
    return public.get(place.host, ())


def _own_hosts(provider: str, environment: Mapping[str, str]) -> Iterator[str]:
    """The hosts that the environment names for a provider; the first is whose token stands there."""
    yield from (settings.host_in(web) for kind, web in declared(environment) if kind == provider)
    if host := settings.host_in(environment.get(HOSTS.get(provider, ""), "")):
        yield host
