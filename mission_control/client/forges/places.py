"""Which repository on which forge a remote is: by its address, and by what the environment says of forges."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from mission_control.client import credentials
from mission_control.client.forges import settings
from mission_control.client.problems import Problem, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mission_control.client.git import Repository

FORGES = f"{credentials.PREFIX}FORGES"
PROVIDERS = ("github", "gitlab", "forgejo")
PUBLIC = {"github.com": "github", "gitlab.com": "gitlab", "codeberg.org": "forgejo", "gitea.com": "forgejo"}
SHELL_HOSTS = {"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}
HOSTS = {"github": "GH_HOST", "gitlab": "GITLAB_HOST"}  # where the providers' own programs are told of another host
WORDS = {"github": "github", "gitlab": "gitlab", "forgejo": "forgejo", "gitea": "forgejo"}
HOST = r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)"
PATH = r"/+(?P<path>[A-Za-z0-9_.~+/-]{1,400}?)/*"
WEB = re.compile(rf"(?P<scheme>https?)://(?:[^/@]*@)?{HOST}(?::(?P<port>[0-9]{{1,5}}))?{PATH}")
SHELL = re.compile(rf"ssh://(?:[^/@]*@)?{HOST}(?::[0-9]{{1,5}})?{PATH}")
SHORT = re.compile(rf"(?:[^/@:]+@)?{HOST}:(?!//)/*(?P<path>[A-Za-z0-9_.~+/-]{{1,400}}?)/*")


class Place(NamedTuple):
    """A repository: `web` is where its forge is, with the path before the repositories, `path` is what stands there."""

    provider: str
    web: str
    host: str  # with a port that is not the usual one
    path: str


def remote_of(repository: Repository, remote: str = "origin") -> str:
    """The address to which git pushes, after what the person's settings say to put instead of it."""
    answer = repository.run("remote", "get-url", "--push", "--", remote)
    address = answer.stdout.decode("utf-8", "replace").strip()
    if answer.returncode or not address:
        raise Usage(f"This repository has no remote {remote}.")
    return address


def place_of(remote: str, environment: Mapping[str, str]) -> Place:
    scheme, name, port, path = _address(remote)
    host = f"{name}{port}"
    for provider, web in declared(environment):
        own, _, prefix = web.partition("://")[2].partition("/")
        if own == host or (not scheme and re.sub(r":\d+$", "", own) == name):
            return _checked(provider, web, own, path, prefix if scheme else "")
    web = credentials.checked_url(f"{scheme or 'https'}://{host}", _allows_http(environment))
    return _checked(provider_of(host, environment), web, host, path, "")


def _address(remote: str) -> tuple[str, str, str, str]:
    """Scheme, host, port and path; git's own way in has no scheme, and a port that says nothing of the web's."""
    match = next(filter(None, (kind.fullmatch(remote.strip()) for kind in (WEB, SHELL, SHORT))), None)
    if match is None:
        raise Problem(f"The remote {_safe(remote)} is no address on a forge, such as https://example.org/owner/name.")
    parts = match.groupdict()
    path, scheme, host = re.sub(r"\.git$", "", parts["path"]), parts.get("scheme") or "", parts["host"].lower()
    host = host if scheme else SHELL_HOSTS.get(host, host)
    return scheme, host, settings.port_of(scheme or "https", parts.get("port") or ""), path


def declared(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The forges that a person declares, by provider and address."""
    for part in environment.get(FORGES, "").split(","):
        if not part.strip():
            continue
        provider, is_one, address = part.strip().partition("=")
        if not is_one or provider not in PROVIDERS:
            raise Usage(f"{FORGES} is written {FORGES}=forgejo=https://code.example.org: {', '.join(PROVIDERS)}.")
        host, slash, prefix = address.partition("://")[2].partition("/")
        scheme = address.partition("://")[0]
        yield provider, credentials.checked_url(f"{scheme}://{host.lower()}{slash}{prefix}", _allows_http(environment))


def provider_of(host: str, environment: Mapping[str, str]) -> str:
    if provider := PUBLIC.get(host):
        return provider
    for provider, variable in HOSTS.items():
        if settings.host_in(environment.get(variable, "")) == host:
            return provider
    for label in re.split(r"[.-]", host.rsplit(":", 1)[0]):
        if label in WORDS:
            return WORDS[label]
    for provider, stored in (("forgejo", settings.tea), ("gitlab", settings.glab)):
        if host in stored(environment):
            return provider
    raise Problem(
        f"Nothing says what kind of forge {host} is. Say it: {FORGES}=PROVIDER=https://{host}, where PROVIDER is"
        " github, gitlab or forgejo (which is Gitea too).",
        "no_forge",
    )


def _checked(provider: str, web: str, host: str, path: str, prefix: str) -> Place:
    if prefix and not path.startswith(f"{prefix}/"):
        raise Problem(f"{path} does not lie in {web}, which {FORGES} names.")
    path = path[len(prefix) + 1 :] if prefix else path
    parts = path.split("/")
    if len(parts) < 2 or any(part in ("", ".", "..") for part in parts) or (provider != "gitlab" and len(parts) > 2):
        raise Problem(
            f"{host}/{path} is no repository of {provider}, which is OWNER/NAME. If the forge is not at the root of its"
            f" host, say where: {FORGES}={provider}=https://{host}/PREFIX."
        )
    return Place(provider, web, host, path)


def _allows_http(environment: Mapping[str, str]) -> bool:
    return environment.get(credentials.ALLOW_HTTP, "").lower() in credentials.YES


def _safe(remote: str) -> str:
    """An address without what signs in there."""
    return re.sub(r"//[^/]*@", "//", remote).strip()[:200] or os.devnull
