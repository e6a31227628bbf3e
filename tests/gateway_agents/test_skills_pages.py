"""Skills and packs as pages: finding, reading, installing, and syncing as a job."""

import asyncio
from pathlib import Path
from typing import Any

from mission_control.gateway_agents.models import Skill, SkillPack
from mission_control.people.models import Job
from tests.agents_on_gateways import add_gateway, hire_main
from tests.cast import Cast
from tests.outside import git
from tests.settings import having
from tests.visitor import visitor

SKILLS, PACKS = "/settings/skills", "/settings/skills/packs"
URL = "https://github.com/observatory/skills"


async def test_catalogue_is_found_by_words_category_and_risk(cast: Cast) -> None:
    ada, cleo = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.cleo)
    (await ada.get(SKILLS)).is_status(200).has("No skills yet", "Add a pack")
    ours: dict[str, Any] = {"organization_id": cast.organization.id}
    await Skill.create(**ours, name="Star", source_url=f"{URL}/tree/main/star", risk="safe", category="sky")
    await Skill.create(**ours, name="Moon", source_url=f"{URL}/tree/main/moon")
    (await ada.get(SKILLS)).has("Star", "Moon", "Risk: safe", "2 skills")
    (await ada.get(f"{SKILLS}?q=sta")).has("Star").lacks(">Moon<")
    (await ada.get(f"{SKILLS}?risk=uncategorized")).has("Moon").lacks(">Star<")
    (await ada.get(f"{SKILLS}?category=SKY&size=100")).has("Star").lacks(">Moon<")
    (await ada.get(f"{SKILLS}?q=sun&pack=nonsense&size=7&from=-3")).is_status(200).has("No skill fits")
    (await cleo.get(SKILLS)).is_status(403)


async def test_without_a_gateway_a_skill_is_read_and_says_why_it_is_not_installed(cast: Cast) -> None:
    ada, eve = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.eve)
    assert (await ada.post(SKILLS, {"source_url": "ftp://x"})).status == 422
    to = (await ada.post(SKILLS, {"source_url": f"{URL}/tree/main/star"})).leads_to
    (await ada.get(to)).is_status(200).has("star", "no gateway yet")
    await Skill.all().update(content="# Look up\n\n<script>x</script>")
    (await ada.get(to)).has("Look up").lacks("<script>x")
    (await eve.get(to)).is_status(404)
    assert (await ada.post(f"{to}/deletions")).leads_to == SKILLS


async def test_skill_is_installed_and_removed_by_a_gateway(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    gateway = await add_gateway(cast.organization.id, state="unreachable", holder=None)
    skill = (await cast.ada.post("/skills/marketplace", {"source_url": f"{URL}/tree/main/star"})).ok()
    page = f"{SKILLS}/{skill['id']}"
    (await ada.get(page)).has("Install on", "Not installed")
    (await ada.post(f"{page}/gateways/{gateway.id}/installations")).is_status(422).has("no main agent")
    await hire_main(cast.app, gateway)
    assert page in (await ada.post(f"{page}/gateways/{gateway.id}/installations")).leads_to
    (await ada.get(page)).has("Remove from").lacks("Not installed")
    assert (await cast.ada.get(f"/skills/marketplace/{skill['id']}")).ok()["gateways"][0]["installed"] is True
    assert page in (await ada.post(f"{page}/gateways/{gateway.id}/removals")).leads_to
    (await ada.get(page)).has("Install on")


async def test_pack_is_added_changed_synced_and_removed(cast: Cast, tmp_path: Path) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(PACKS)).is_status(200).has("No packs yet")
    (await ada.post(PACKS, {"source_url": "https://example.org/x"})).is_status(400).has('id="field-source_url-error"')
    assert PACKS in (await ada.post(PACKS, {"source_url": URL})).leads_to
    pack = await SkillPack.get()
    assert (await ada.post(f"{PACKS}/{pack.id}", {"source_url": URL, "name": "Sky", "branch": "main"})).status == 303
    folder = tmp_path / "observatory" / "skills"
    (folder / "star").mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "star" / "SKILL.md").write_text("---\nname: Star\n---\nLook up.")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=first")
    with having(cast.app, skills_git_base_url=f"file://{tmp_path}"):
        assert (await ada.post(f"{PACKS}/{pack.id}/syncs")).leads_to == "/work"
        while await Job.filter(state="running").exists():
            await asyncio.sleep(0.02)
    (await ada.get("/work")).is_status(200).has("Sync Sky", "1 skill: 1 new", "Mark Sync Sky as read")
    (await ada.get(PACKS)).has("1 skill", "Sync Sky: ")
    (await ada.get(f"{SKILLS}/{(await Skill.get()).id}")).has("Look up.")
    (await ada.get(f"{PACKS}/{pack.id}/delete")).has("1 skill stays")
    assert (await ada.post(f"{PACKS}/{pack.id}/deletions")).leads_to == PACKS
