"""The catalogue of skills and its packs: rights, changes and lists."""

from typing import Any

import orjson
import pytest

from mission_control.gateway_agents.models import Skill, SkillPack
from tests.cast import NO_ID, Cast, events, head, ids, kinds

pytestmark = pytest.mark.dialect

MARKET, PACKS = "/skills/marketplace", "/skills/packs"
REPOSITORY = "https://github.com/observatory/skills"
SKILL_KEYS = [
    "id", "organization_id", "name", "description", "category", "risk", "source", "source_url", "metadata",
    "created_at", "updated_at",
]  # fmt: skip
PACK_KEYS = [
    "id", "organization_id", "name", "description", "source_url", "branch", "metadata", "created_at", "updated_at",
    "skill_count",
]  # fmt: skip


async def add(cast: Cast, name: str, url: str = "", **columns: Any) -> Skill:
    """Add a skill to the catalogue as a sync does."""
    return await Skill.create(
        organization_id=cast.organization.id, name=name, source_url=url or f"https://example.org/{name}", **columns
    )


async def test_admin_adds_a_skill(cast: Cast) -> None:
    before = await head(cast)
    skill = (await cast.ben.post(MARKET, {"source_url": "https://example.org/tools/star-chart_maker.git"})).ok()
    assert list(skill) == SKILL_KEYS
    assert (skill["name"], skill["metadata"], skill["description"]) == ("star chart maker", {}, None)
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id, str(event.subject_id)) == ("skill.created", cast.ben.id, skill["id"])


async def test_same_address_updates_the_existing_skill(cast: Cast) -> None:
    url = {"source_url": "https://example.org/a-skill"}
    first = (await cast.ada.post(MARKET, {**url, "name": "One", "description": "It counts."})).ok()
    before = await head(cast)
    assert (await cast.ada.post(MARKET, url)).ok() == first
    assert (await cast.ada.post(MARKET, {**url, "name": "One"})).ok() == first
    assert await kinds(cast, before) == []
    second = (await cast.ada.post(MARKET, {**url, "name": "Two"})).ok()
    assert (second["id"], second["name"], second["description"]) == (first["id"], "Two", "It counts.")
    assert second["updated_at"] > first["updated_at"]
    [event] = await events(before, organization_id=cast.organization.id)
    assert orjson.loads(event.data) == {"before": {"name": "One"}, "after": {"name": "Two"}}
    other = (await cast.eve.post(MARKET, url)).ok()
    assert other["id"] != first["id"]


@pytest.mark.parametrize("body", [
    {},
    {"source_url": ""},
    {"source_url": "example.org/x"},
    {"source_url": "ftp://example.org/x"},
    {"source_url": "javascript:alert(1)"},
    {"source_url": "https://example.org/" + "x" * 2000},
    {"source_url": "https://example.org?" + "x" * 1980},
    {"source_url": "https://example.org/x", "name": " "},
    {"source_url": "https://example.org/x", "description": 5},
])  # fmt: skip
async def test_invalid_skill_is_refused(cast: Cast, body: dict[str, Any]) -> None:
    assert isinstance((await cast.ada.post(MARKET, body)).refused(422), list)


async def test_skill_is_removed(cast: Cast) -> None:
    skill = await add(cast, "old")
    before = await head(cast)
    assert (await cast.ben.delete(f"{MARKET}/{skill.id}")).ok() == {"ok": True}
    assert isinstance((await cast.ben.delete(f"{MARKET}/{skill.id}")).refused(404), str)
    assert await kinds(cast, before) == [("skill.deleted", None)]


async def test_skills_are_listed_newest_first_in_pages(cast: Cast) -> None:
    made = [str((await add(cast, f"s{number}", source="deep/inside")).id) for number in range(5)][::-1]
    answer = await cast.ada.get(MARKET)
    assert ids(answer.ok()) == made and "X-Total-Count" not in answer.headers
    card = answer.body[0]
    assert list(card) == [*SKILL_KEYS, "installed", "installed_at", "pending", "last_error"]
    assert (card["source"], card["installed"], card["installed_at"]) == (card["source_url"], False, None)
    page = await cast.ada.get(f"{MARKET}?limit=2&offset=1")
    assert ids(page.ok()) == made[1:3]
    assert [page.headers[f"X-{name}"] for name in ("Total-Count", "Limit", "Offset")] == ["5", "2", "1"]
    assert ids((await cast.ada.get(f"{MARKET}?offset=3")).ok()) == made[3:]
    assert (await cast.eve.get(MARKET)).ok() == []
    for query in ("limit=0", "limit=201", "offset=-1", "gateway_id=x", "pack_id=x"):
        assert isinstance((await cast.ada.get(f"{MARKET}?{query}")).refused(422), list)


async def test_installing_needs_a_gateway(cast: Cast) -> None:
    assert "gateway" in (await cast.ada.get(f"{MARKET}?gateway_id={NO_ID}")).refused(404)


@pytest.mark.parametrize(("query", "found"), [
    ("search=CHART", {"chart"}),
    ("search=100%25", {"percent"}),
    ("search=a_b", {"underscore"}),
    ("search=!", {"percent"}),
    ("search=%20sky%20", {"chart", "percent"}),
    ("category=%20Stars", {"chart"}),
    ("category=uncategorized", {"percent", "underscore"}),
    ("risk=Uncategorized", {"chart", "underscore"}),
    ("risk=low&search=sky", {"percent"}),
    ("category=&risk=%20", {"chart", "percent", "underscore"}),
    ("search=zebra", set()),
])  # fmt: skip
async def test_skills_are_filtered(cast: Cast, query: str, found: set[str]) -> None:
    await add(cast, "chart", description="Draws the sky", category=" stars ")
    await add(cast, "percent", description="100% of the sky!", category=" ", risk="LOW")
    await add(cast, "underscore", description="a_b, not aXb")
    await add(cast, "decoy", description="1000 aXb", category="x", risk="high")
    names = {one["name"] for one in (await cast.ada.get(f"{MARKET}?{query}")).ok()}
    assert names - {"decoy"} == found and ("decoy" not in names or query in ("category=&risk=%20",))


async def test_pack_counts_only_its_own_skills(cast: Cast) -> None:
    pack = (await cast.ada.post(PACKS, {"source_url": "https://github.com/o/my_repo"})).ok()
    mine = [
        await add(cast, name, f"https://github.com/o/my_repo{rest}")
        for name, rest in [("whole", ""), ("one", "/tree/main/one"), ("two", "/tree/dev/two")]
    ]
    for decoy in ("my_repo-two/tree/main/x", "my-repo/tree/main/x", "my_repo/blob/main/x"):
        await add(cast, decoy, f"https://github.com/o/{decoy}")
    await Skill.create(organization_id=cast.elsewhere.id, name="x", source_url="https://github.com/o/my_repo/tree/m/x")
    found = (await cast.ada.get(f"{MARKET}?pack_id={pack['id']}")).ok()
    assert ids(found) == [str(one.id) for one in mine[::-1]]
    assert (await cast.ada.get(f"{PACKS}/{pack['id']}")).ok()["skill_count"] == 3
    assert [one["skill_count"] for one in (await cast.ada.get(PACKS)).ok()] == [3]
    assert isinstance((await cast.ada.get(f"{MARKET}?pack_id={NO_ID}")).refused(404), str)
    assert isinstance((await cast.eve.get(f"{MARKET}?pack_id={pack['id']}")).refused(404), str)


async def test_admin_adds_packs(cast: Cast) -> None:
    before = await head(cast)
    pack = (await cast.ben.post(PACKS, {"source_url": f"{REPOSITORY}.git/", "metadata_": {"by": "us"}})).ok()
    assert list(pack) == PACK_KEYS
    assert (pack["source_url"], pack["name"], pack["branch"]) == (REPOSITORY, "skills", "main")
    assert (pack["metadata"], pack["skill_count"], pack["description"]) == ({"by": "us"}, 0, None)
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id, str(event.subject_id)) == ("skill_pack.created", cast.ben.id, pack["id"])
    other = (await cast.ada.post(PACKS, {"source_url": "https://github.com/o/other", "name": "Mine"})).ok()
    assert ids((await cast.ada.get(PACKS)).ok()) == [other["id"], pack["id"]]
    assert (await cast.eve.get(PACKS)).ok() == []


async def test_one_repository_is_one_pack(cast: Cast) -> None:
    full = {"source_url": REPOSITORY, "name": "Ours", "description": "All.", "branch": "dev", "metadata": {"a": 1}}
    first = (await cast.ada.post(PACKS, full)).ok()
    before = await head(cast)
    assert (await cast.ada.post(PACKS, full)).ok() == first
    assert await kinds(cast, before) == []
    second = (await cast.ada.post(PACKS, {"source_url": f"{REPOSITORY}/"})).ok()
    assert {name: second[name] for name in ("id", "name", "description", "branch", "metadata")} == {
        "id": first["id"], "name": "Ours", "description": "All.", "branch": "main", "metadata": {},
    }  # fmt: skip
    assert await kinds(cast, before) == [("skill_pack.updated", None)]
    assert await SkillPack.filter(organization_id=cast.organization.id).count() == 1


@pytest.mark.parametrize("branch", ["", "  ", "a b", "-x", "--upload-pack=x", "a~1", "é", "x" * 256])
async def test_invalid_branch_becomes_main(cast: Cast, branch: str) -> None:
    pack = (await cast.ada.post(PACKS, {"source_url": REPOSITORY, "branch": branch})).ok()
    assert pack["branch"] == "main"


@pytest.mark.parametrize("url", [
    "http://github.com/o/r", "ssh://git@github.com/o/r", "file:///etc/passwd", "https://localhost/o/r",
    "https://gitlab.com/o/r", "https://github.com.evil.org/o/r", "https://ada:pw@github.com/o/r",
    "https://github.com:8443/o/r", "https://github.com/o", "https://github.com/o/r/tree/main",
    "https://github.com/o/..", "https://github.com/o/r?x=1", "https://github.com/-o/r",
])  # fmt: skip
async def test_only_github_repositories_are_accepted(cast: Cast, url: str) -> None:
    pack = (await cast.ada.post(PACKS, {"source_url": REPOSITORY})).ok()
    for answer in (
        await cast.ada.post(PACKS, {"source_url": url}),
        await cast.ada.patch(f"{PACKS}/{pack['id']}", {"source_url": url}),
    ):
        assert isinstance(answer.refused(400), str)


async def test_pack_is_replaced_by_patch(cast: Cast) -> None:
    full = {"source_url": REPOSITORY, "name": "Ours", "description": "All.", "branch": "dev", "metadata": {"a": 1}}
    pack = (await cast.ada.post(PACKS, full)).ok()
    path = f"{PACKS}/{pack['id']}"
    changed = (await cast.ben.patch(path, {"source_url": "https://github.com/o/night-sky", "name": None})).ok()
    assert {name: changed[name] for name in ("name", "description", "branch", "metadata", "source_url")} == {
        "name": "night sky", "description": None, "branch": "main", "metadata": {},
        "source_url": "https://github.com/o/night-sky",
    }  # fmt: skip
    (await cast.ada.post(PACKS, {"source_url": REPOSITORY})).ok()
    assert isinstance((await cast.ada.patch(path, {"source_url": REPOSITORY})).refused(409), str)
    assert isinstance((await cast.ada.patch(path, {"name": "x"})).refused(422), list)
    assert isinstance((await cast.ada.patch(f"{PACKS}/{NO_ID}", full)).refused(404), str)


async def test_removing_a_pack_keeps_its_skills(cast: Cast) -> None:
    pack = (await cast.ada.post(PACKS, {"source_url": REPOSITORY})).ok()
    await add(cast, "one", f"{REPOSITORY}/tree/main/one")
    before = await head(cast)
    assert (await cast.ada.delete(f"{PACKS}/{pack['id']}")).ok() == {"ok": True}
    assert isinstance((await cast.ada.delete(f"{PACKS}/{pack['id']}")).refused(404), str)
    assert await kinds(cast, before) == [("skill_pack.deleted", None)]
    assert len((await cast.ada.get(MARKET)).ok()) == 1
