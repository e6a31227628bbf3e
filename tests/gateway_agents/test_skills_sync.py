"""Syncing packs with real git from a real repository: what is found in it, and what fails."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from mission_control.core.errors import Unreachable
from mission_control.gateway_agents.models import Skill
from mission_control.gateway_agents.skills.repositories import Git
from tests.cast import Cast, events, head, kinds
from tests.outside import git
from tests.settings import having

pytestmark = pytest.mark.dialect

PACKS = "/skills/packs"
URL = "https://github.com/observatory/skills"
Write = Callable[..., None]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Create the repository `observatory/skills` in a folder that mirrors GitHub."""
    folder = tmp_path / "mirror" / "observatory" / "skills"
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


@pytest.fixture
def write(repository: Path) -> Write:
    """Write files (None removes one) and commit them."""

    def commit(**files: Any) -> None:
        for name, content in files.items():
            file = repository / name
            if content is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content if isinstance(content, str) else orjson.dumps(content).decode())
        git(repository, "add", "--all")
        git(repository, "commit", "--quiet", "--message=change")

    return commit


@pytest.fixture
def mirror(cast: Cast, repository: Path) -> Iterator[str]:
    """Let the installation clone from the mirror."""
    base = f"file://{repository.parents[1]}"
    with having(cast.app, skills_git_base_url=base):
        yield base


async def new_pack(cast: Cast, **fields: Any) -> str:
    pack = (await cast.ada.post(PACKS, {"source_url": URL, **fields})).ok()
    return f"{PACKS}/{pack['id']}"


async def found(cast: Cast) -> dict[str, Skill]:
    """Return the catalogue by address inside the repository."""
    skills = await Skill.filter(organization_id=cast.organization.id)
    return {one.source_url.removeprefix(f"{URL}/tree/"): one for one in skills}


async def test_skill_files_are_found(cast: Cast, write: Write, mirror: str) -> None:
    write(
        **{
            "star/SKILL.md": "---\nname: \"Star gazer\"\ndescription: 'Looks up'\n---\n# Other\ntext",
            "deep/er/SKILL.md": "# Heading wins\n\n> quote\n\n```\ncode\n```\nA plain line.\nAnother",
            "bare/SKILL.md": "",
            "folded/SKILL.md": "---\ndescription: >-\n  Two lines\n  in one.\nname: Folded\n---\n",
            "open/SKILL.md": "---\nname: never closed\n",
            ".hidden/SKILL.md": "# Hidden",
            "star/skill.md.txt": "# No",
        }
    )
    before = await head(cast)
    path = await new_pack(cast)
    answer = (await cast.ada.post(f"{path}/sync")).ok()
    assert list(answer) == ["ok", "pack_id", "synced", "created", "updated", "pruned", "warnings"]
    assert (answer["synced"], answer["created"], answer["updated"], answer["warnings"]) == (5, 5, 0, [])
    skills = await found(cast)
    assert {url: (one.name, one.description) for url, one in skills.items()} == {
        "main/star": ("Star gazer", "Looks up"),
        "main/deep/er": ("Heading wins", "A plain line."),
        "main/bare": ("bare", None),
        "main/folded": ("Folded", "Two lines in one."),
        "main/open": ("open", "name: never closed"),
    }
    star = skills["main/star"]
    assert (star.source, star.category, star.risk) == ("star", None, None)
    assert star.metadata == {"discovery_mode": "skills_md", "pack_branch": "main", "skill_dir": "star"}
    assert (await cast.ada.get(path)).ok()["skill_count"] == 5
    _, event = await events(before, organization_id=cast.organization.id)
    counts = {"synced": 5, "created": 5, "updated": 0, "pruned": 0}
    assert (event.kind, orjson.loads(event.data)) == ("skill_pack.synced", {"counts": counts})


async def test_second_sync_updates_what_changed(cast: Cast, write: Write, mirror: str) -> None:
    write(**{"a/SKILL.md": "# A", "b/SKILL.md": "# B", "c/SKILL.md": "# C"})
    path = await new_pack(cast)
    (await cast.ada.post(f"{path}/sync")).ok()
    by_hand = (await cast.ada.post("/skills/marketplace", {"source_url": f"{URL}/tree/main/by-hand"})).ok()
    before = await head(cast)
    same = (await cast.ada.post(f"{path}/sync?prune=true")).ok()
    assert (same["synced"], same["created"], same["updated"], same["pruned"]) == (3, 0, 0, 0)
    assert await kinds(cast, before) == []
    write(**{"a/SKILL.md": "# A\nNew words.", "b/SKILL.md": None, "d/SKILL.md": "# D"})
    kept = (await cast.ada.post(f"{path}/sync")).ok()
    assert (kept["synced"], kept["created"], kept["updated"], kept["pruned"]) == (3, 1, 1, 0)
    assert "main/b" in await found(cast)
    pruned = (await cast.ada.post(f"{path}/sync?prune=true")).ok()
    assert (pruned["created"], pruned["updated"], pruned["pruned"]) == (0, 0, 1)
    assert set(await found(cast)) == {"main/a", "main/c", "main/d", "main/by-hand"}
    assert str((await found(cast))["main/by-hand"].id) == by_hand["id"]


async def test_pack_of_one_skill(cast: Cast, write: Write, mirror: str) -> None:
    write(**{"SKILL.md": "Just do it."})
    assert (await cast.ada.post(f"{await new_pack(cast)}/sync")).ok()["synced"] == 1
    skill = (await found(cast))["main"]
    assert (skill.name, skill.description, skill.source) == ("skills", "Just do it.", ".")


async def test_index_overrides_discovered_skills(cast: Cast, write: Write, mirror: str) -> None:
    entries: list[dict[str, Any]] = [
        {"path": "./a/SKILL.md", "name": "A", "description": "first", "category": "stars", "risk": "low"},
        {"path": "/b/"},
        {"source_url": "https://example.org/elsewhere"},
        {"source_url": f"{URL}/tree/main/c", "name": "C"},
        {"source_url": "d/e"},
        {"path": "a", "name": "A again"},
        {"name": "nowhere"},
        {"path": "../../etc"},
        {"path": 5},
        {"source_url": "javascript:alert(1)//x://"},
    ]
    write(**{"skills_index.json": {"skills": entries}, "ignored/SKILL.md": "# No"})
    answer = (await cast.ada.post(f"{await new_pack(cast)}/sync")).ok()
    assert (answer["synced"], len(answer["warnings"])) == (5, 4)
    skills = await found(cast)
    assert {url: (one.name, one.source) for url, one in skills.items()} == {
        "main/a": ("A again", "a"),
        "main/b": ("b", "b"),
        "https://example.org/elsewhere": ("Skill", None),
        "main/c": ("C", "c"),
        "main/d/e": ("e", "d/e"),
    }
    assert (skills["main/a"].category, skills["main/a"].risk) == (None, None)
    assert skills["main/d/e"].metadata == {
        "discovery_mode": "skills_index", "pack_branch": "main", "source_url": "d/e", "resolved_path": "d/e",
    }  # fmt: skip


@pytest.mark.parametrize("index", ["{broken", '{"skills": 5}', '[{"path": "a"}, 5]', "[" * 100_000, "5"])
async def test_broken_index_is_a_warning(cast: Cast, write: Write, mirror: str, index: str) -> None:
    write(**{"skills_index.json": index, "a/SKILL.md": "# A"})
    answer = (await cast.ada.post(f"{await new_pack(cast)}/sync")).ok()
    [warning] = answer["warnings"]
    assert "skills_index.json" in warning and answer["synced"] == 1


async def test_sync_reads_the_stored_branch(cast: Cast, write: Write, mirror: str, repository: Path) -> None:
    write(**{"a/SKILL.md": "# A"})
    git(repository, "checkout", "--quiet", "-b", "feature/dome")
    write(**{"b/SKILL.md": "# B"})
    git(repository, "checkout", "--quiet", "main")
    answer = (await cast.ada.post(f"{await new_pack(cast, branch='feature/dome')}/sync")).ok()
    assert (answer["synced"], answer["warnings"]) == (2, [])
    skills = await found(cast)
    assert set(skills) == {"feature/dome/a", "feature/dome/b"}
    assert skills["feature/dome/b"].metadata["pack_branch"] == "feature/dome"


async def test_missing_branch_falls_back_to_the_default(cast: Cast, write: Write, mirror: str) -> None:
    write(**{"a/SKILL.md": "# A"})
    answer = (await cast.ada.post(f"{await new_pack(cast, branch='gone')}/sync")).ok()
    assert answer["warnings"] == ["There is no branch gone; the default branch main was read instead."]
    assert set(await found(cast)) == {"main/a"}


async def test_symbolic_links_are_ignored(cast: Cast, write: Write, mirror: str, repository: Path) -> None:
    secret = repository.parents[2] / "secret.md"
    secret.write_text("# Secret")
    (repository / "a").mkdir()
    (repository / "a" / "SKILL.md").symlink_to(secret)
    (repository / "skills_index.json").symlink_to(secret)
    write(**{"b/SKILL.md": "# B"})
    (await cast.ada.post(f"{await new_pack(cast)}/sync")).ok()
    assert "Secret" not in {one.name for one in (await found(cast)).values()}


async def test_clone_failures_give_their_reason(cast: Cast, mirror: str, repository: Path) -> None:
    git(repository, "commit", "--quiet", "--allow-empty", "--message=empty")
    git(repository, "branch", "--move", "trunk")
    detail = (await cast.ada.post(f"{await new_pack(cast)}/sync")).refused(502)
    assert "Remote branch main not found" in detail
    missing = (await cast.ada.post(PACKS, {"source_url": "https://github.com/observatory/none"})).ok()
    gone = (await cast.ada.post(f"{PACKS}/{missing['id']}/sync")).refused(502)
    for said in (detail, gone):
        assert said.startswith("The repository could not be cloned: ")
        assert str(repository.parents[1]) not in said and "/tmp" not in said and "Cloning" not in said
    assert await Skill.all().count() == 0


async def test_too_large_repository_is_refused(write: Write, repository: Path) -> None:
    write(**{"big.bin": "x" * 3_000_000 + os.urandom(1_500_000).hex()})
    small = Git(f"file://{repository.parents[1]}", most_bytes=2_097_152)
    with pytest.raises(Unreachable, match="larger than 2 MiB"):
        async with small.cloned(URL, "main"):
            raise AssertionError("it was taken")


async def test_slow_clone_is_given_up(write: Write, repository: Path) -> None:
    write(**{"a/SKILL.md": "# A"})
    with pytest.raises(Unreachable, match="too long"):
        async with Git(f"file://{repository.parents[1]}", seconds=0.0).cloned(URL, "main"):
            raise AssertionError("it was taken")


async def test_only_the_configured_protocol_is_used(write: Write, repository: Path, tmp_path: Path) -> None:
    write(**{"a/SKILL.md": "# A"})
    with pytest.raises(Unreachable, match="transport 'file' not allowed"):
        async with FileBehindHttps(f"file://{repository.parents[1]}").cloned(URL, "main"):
            raise AssertionError("it was taken")


class FileBehindHttps(Git):
    """Git with an https address that leads to a file."""

    def _environment(self, folder: Path) -> dict[str, str]:
        return {
            **super()._environment(folder),
            "GIT_ALLOW_PROTOCOL": Git("https://github.com")._environment(folder)["GIT_ALLOW_PROTOCOL"],
        }


async def test_clone_leaves_nothing_and_ignores_configuration(
    write: Write, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(**{"a/SKILL.md": "# A"})
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f'[url "file:///nowhere"]\n\tinsteadOf = file://{repository.parents[1]}\n')
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    async with Git(f"file://{repository.parents[1]}").cloned(URL, "main") as (root, branch, warnings):
        assert (root / "a" / "SKILL.md").is_file() and (branch, warnings) == ("main", [])
    assert not root.parent.exists()
