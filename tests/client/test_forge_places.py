"""Which forge a remote is, and whose token goes there."""

import os
from pathlib import Path

import pytest

from mission_control.client.forges.github import GitHub
from mission_control.client.forges.places import place_of, remote_of
from mission_control.client.forges.tokens import token_of
from mission_control.client.git import Repository
from mission_control.client.problems import NotSignedIn, Problem

DECLARED = "MISSION_CONTROL_FORGES"
BOTH = "forgejo=https://code.example.org:8443/git, gitlab=https://Code.example.net/Git"


@pytest.mark.parametrize(
    ("remote", "provider", "web", "path"),
    [
        ("git@github.com:ada/web.git", "github", "https://github.com", "ada/web"),
        ("https://x:secret@github.com/ada/web.git", "github", "https://github.com", "ada/web"),
        ("ssh://git@ssh.github.com:443/ada/web.git", "github", "https://github.com", "ada/web"),
        ("ssh://git@gitlab.example.org:2222/a/b/c/web", "gitlab", "https://gitlab.example.org", "a/b/c/web"),
        ("https://gitlab.com/group/inner/web.git/", "gitlab", "https://gitlab.com", "group/inner/web"),
        ("https://gitea.example.org:8443/ada/web", "forgejo", "https://gitea.example.org:8443", "ada/web"),
        ("codeberg.org:/ada/web.git", "forgejo", "https://codeberg.org", "ada/web"),
        ("https://code.example.net/Git/ada/Web", "gitlab", "https://code.example.net/Git", "ada/Web"),
        ("https://code.example.org:8443/git/ada/web.git", "forgejo", "https://code.example.org:8443/git", "ada/web"),
        ("git@code.example.org:ada/web.git", "forgejo", "https://code.example.org:8443/git", "ada/web"),
    ],
)
def test_remotes_are_read(remote: str, provider: str, web: str, path: str) -> None:
    place = place_of(remote, {DECLARED: BOTH})
    assert (place.provider, place.web, place.path) == (provider, web, path)


@pytest.mark.parametrize(
    ("remote", "says"),
    [
        ("/srv/web.git", "no address on a forge"),
        ("file:///srv/web.git", "no address on a forge"),
        ("https://ada:secret@code.example.org", "no address on a forge"),
        ("https://code.example.org/ada/web.git", "kind of forge code.example.org"),
        ("http://github.example.org/ada/web.git", "not encrypted"),
        ("https://github.com/ada/../web", "no repository of github"),
        ("https://github.com/a/b/c", "no repository of github"),
        ("git@github.com:--upload-pack=x", "no repository of github|no address"),
        ("https://github.com/ada/web?x=%0d%0a", "no address on a forge"),
    ],
)
def test_other_remotes_are_refused_in_words(remote: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=says) as caught:
        place_of(remote, {"HOME": str(tmp_path)})
    assert "secret" not in caught.value.text


TOKENS = {
    "GH_TOKEN": "token-gh", "GH_ENTERPRISE_TOKEN": "token-enterprise", "GITLAB_TOKEN": "token-gitlab",
    "FORGEJO_TOKEN": "token-forgejo", "GITEA_TOKEN": "token-gitea", "PATH": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("remote", "more", "secret"),
    [
        ("git@github.com:ada/web", {}, "token-gh"),
        ("git@github.example.org:ada/web", {}, ""),
        ("git@github.example.org:ada/web", {"GH_HOST": "github.example.org"}, "token-enterprise"),
        ("git@github.com.evil.example:ada/web", {}, ""),
        ("git@gitlab.com:ada/web", {}, "token-gitlab"),
        ("git@gitlab.example.org:ada/web", {}, ""),
        ("git@gitlab.example.org:ada/web", {"GITLAB_HOST": "https://gitlab.example.org"}, "token-gitlab"),
        ("git@gitlab.com:ada/web", {"GITLAB_HOST": "gitlab.example.org"}, ""),
        ("git@codeberg.org:ada/web", {}, "token-forgejo"),
        ("git@gitea.com:ada/web", {}, "token-gitea"),
        ("git@gitea.evil.example:ada/web", {}, ""),
        ("git@code.example.org:ada/web", {DECLARED: "forgejo=https://code.example.org"}, "token-forgejo"),
        ("git@codeberg.org:ada/web", {DECLARED: "forgejo=https://code.example.org"}, ""),
    ],
)
def test_a_token_of_the_environment_goes_to_its_own_host_alone(
    remote: str, more: dict[str, str], secret: str, tmp_path: Path
) -> None:
    environment = {**TOKENS, "HOME": str(tmp_path), **more}
    place = place_of(remote, environment)
    if secret:
        assert token_of(place, environment).secret == secret
    else:
        with pytest.raises(NotSignedIn, match=f"no token for {place.host}.*login"):
            token_of(place, environment)


def test_programs_of_forges_have_tokens_by_host(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    (tmp_path / ".config/glab-cli").mkdir(parents=True)
    (tmp_path / ".config/tea").mkdir()
    (tmp_path / ".config/glab-cli/config.yml").write_text(
        "git_protocol: ssh\nhosts:\n    gitlab.com:\n        api_host: gitlab.com\n        token: of-gitlab\n"
        "    code.example.org:8443:\n        token: !!null of-own-gitlab\nlast: token\n"
    )
    (tmp_path / ".config/tea/config.yml").write_text(
        "logins:\n- name: own\n  url: https://git.example.org/code\n  token: of-forgejo\n  default: true\n"
        "- name: next\n  url: https://codeberg.org\n  token: 'of-codeberg'\npreferences:\n  token: nobody-s\n"
    )
    (tmp_path / "gh").write_text('#!/bin/sh\n[ "$*" = "auth token --hostname github.com" ] && echo of-github\n')
    (tmp_path / "gh").chmod(0o700)
    remotes = {
        "git@gitlab.com:a/b": "of-gitlab", "https://code.example.org:8443/a/b": "of-own-gitlab",
        "git@git.example.org:a/b": "of-forgejo", "git@codeberg.org:a/b": "of-codeberg",
        "git@github.com:a/b": "of-github",
    }  # fmt: skip
    for remote, secret in remotes.items():
        assert token_of(place_of(remote, environment), environment).secret == secret, remote
    with pytest.raises(NotSignedIn):
        token_of(place_of("git@github.example.org:a/b", environment), environment)


def test_the_push_address_is_after_insteadof(tmp_path: Path) -> None:
    top = Repository(str(tmp_path), {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull})
    top.git("init", "--quiet")
    top.git("remote", "add", "origin", "gh:ada/web")
    top.git("config", "url.https://github.com/.insteadOf", "gh:")
    assert remote_of(top) == "https://github.com/ada/web"


@pytest.mark.parametrize(
    ("remote", "more", "base"),
    [
        ("git@github.com:ada/web", {"GH_TOKEN": "12345678"}, "https://api.github.com"),
        ("git@ada.ghe.com:ada/web", {"GH_TOKEN": "12345678", "GH_HOST": "ada.ghe.com"}, "https://api.ada.ghe.com"),
        ("git@git.example.org:ada/web", {"GH_ENTERPRISE_TOKEN": "12345678", "GH_HOST": "git.example.org"},
         "https://git.example.org/api/v3"),
    ],
)  # fmt: skip
def test_github_s_api_is_where_its_host_has_it(remote: str, more: dict[str, str], base: str) -> None:
    place = place_of(remote, more)
    assert GitHub(place, token_of(place, more)).calls.base == base
