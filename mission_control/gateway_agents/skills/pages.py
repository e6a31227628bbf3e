"""Skills as pages of the settings: the catalogue, installing, and packs."""

from urllib.parse import urlencode
from uuid import UUID

from pydantic import ConfigDict
from quart import request
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor, require
from mission_control.core.errors import DomainError, Refused
from mission_control.core.values import NonEmptyStr, Paging, parse_id
from mission_control.database.sql import Row
from mission_control.gateway_agents.models import Skill, SkillPack
from mission_control.gateway_agents.skills import queries as skills
from mission_control.gateways.queries import list_gateways
from mission_control.people.jobs.commands import own_jobs
from mission_control.web.actions import SHOWN, Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormValues, go
from mission_control.web.fragments import PageContext
from mission_control.web.lists import Asked, LiveList, Order, Pages, greatest, order_asked
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import SettingsPage, administers, settings_page, signed_in

pages = Pages("skills_pages", __name__)
PACK_LABELS = {"source_url": "Address", "name": "Name", "branch": "Branch", "description": "Description"}
SETTINGS = SettingsPage(
    "skills", "Organization", "Skills", "/settings/skills", "sparkles", 150, "marketplace packs", administers
)
SKILLS, SKILL = "/settings/skills", "/settings/skills/<uuid:skill_id>"
SIZES = (25, 50, 100, 200)
MOST_FROM = 10**6
ORDERS = {
    "newest": Order("newest", sql=skills.NEWEST),
    "name": Order("by name", sql=skills.BY_NAME),
    "category": Order("by category", sql=skills.BY_CATEGORY),
}


class Wanted(skills.MarketplaceQuery):
    """What the address asks for: the query of the operation that lists skills, and an order."""

    model_config = ConfigDict(frozen=True)
    order: str

    @classmethod
    def of_request(cls) -> "Wanted":
        """Read the address; what it cannot mean is left out."""
        args = request.args
        search, category, risk = (args.get(name, "").strip()[:200] for name in ("q", "category", "risk"))
        size, first = args.get("size", SIZES[0], type=int), args.get("from", 0, type=int)
        return cls(
            search=search, category=category, risk=risk, pack_id=parse_id(args.get("pack", "")),
            order=order_asked(ORDERS), limit=size if size in SIZES else SIZES[0], offset=max(0, min(first, MOST_FROM)),
        )  # fmt: skip

    @property
    def narrows(self) -> bool:
        return bool(self.search or self.category or self.risk or self.pack_id)

    def url(self, first: int) -> str:
        size = self.limit if self.limit != SIZES[0] else ""
        numbers = {"pack": self.pack_id, "order": self.order, "size": size, "from": first}
        asked = {"q": self.search, "category": self.category, "risk": self.risk} | numbers
        parts = {name: str(value) for name, value in asked.items() if value}
        return f"{SKILLS}?{urlencode(parts)}" if parts else SKILLS


async def _listed(actor: Actor, wanted: Wanted) -> PageContext:
    packs = await skills.list_packs(actor.organization_id)
    if wanted.pack_id is not None and str(wanted.pack_id) not in {str(pack["id"]) for pack in packs}:
        wanted = wanted.model_copy(update={"pack_id": None})
    cards, total = await skills.list_cards(actor, wanted, ORDERS[wanted.order].sql)
    return {
        "cards": [card | {"pack": _pack_of(card, packs)} for card in cards],
        "on": await skills.gateways_of([card["id"] for card in cards]), "total": total, "wanted": wanted,
        "sizes": SIZES, "orders": [(key, order.label) for key, order in ORDERS.items()], "packs": packs,
        "categories": await skills.words_of(actor.organization_id, "category"),
        "risks": await skills.words_of(actor.organization_id, "risk"), "uncategorized": skills.UNCATEGORIZED,
    }  # fmt: skip


LiveList(
    pages=pages, place=SETTINGS, template="gateway_agents/skills/index.html", read=_listed, asks=Wanted.of_request,
    news=Concerns[View](("skill.", "skill_pack.", "gateway.")), verb="skill.read",
)  # fmt: skip


def _pack_of(card: Row, packs: list[Row]) -> Row | None:
    url = card["source_url"]
    return next(
        (pack for pack in packs if url == pack["source_url"] or url.startswith(f"{pack['source_url']}/tree/")), None
    )


async def _new(actor: Actor, found: None, values: Fields, errors: dict[str, str]) -> str:
    return await settings_page(
        actor, "gateway_agents/skills/new.html", SETTINGS.key, values=values, errors=errors, labels=PACK_LABELS
    )


@action(pages, SKILLS, shows=_new, page=f"{SKILLS}/new")
async def create_marketplace_skill(outcome: Outcome[None, skills.MarketplaceSkillCreate]) -> ResponseReturnValue:
    """Add a skill."""
    return go(f"{SKILLS}/{outcome.answer['id']}")


@pages.get(SKILL)
async def one_skill(skill_id: UUID) -> str:
    """Show a skill, its text, and where it is installed."""
    actor = await signed_in()
    require(actor, "skill.read")
    return await _show(actor, await skills.visible_skill(actor, skill_id), "")


async def _show(actor: Actor, skill: Skill, problem: str) -> str:
    packs = await skills.list_packs(actor.organization_id)
    detail = await skills.skill_detail(skill)
    gateways, _ = await list_gateways(actor, Paging(limit=200, offset=0))
    on_gateways = {str(gateway.gateway_id): gateway for gateway in detail["gateways"]}
    context = {"pack": _pack_of(detail, packs), "gateways": gateways, "asked": on_gateways}
    return await settings_page(
        actor, "gateway_agents/skills/show.html", SETTINGS.key, skill=detail, problem=problem, **context
    )


async def skill_of_page(actor: Actor, skill_id: UUID, **_: UUID) -> Skill:
    return await skills.visible_skill(actor, skill_id)


async def _not_asked(refusal: Refusal[object, None]) -> ResponseReturnValue:
    refusal.only(DomainError)
    return await _show(refusal.actor, refusal.page, refusal.sentence)


INSTALL = f"{SKILL}/gateways/<uuid:gateway_id>"


@action(pages, f"{INSTALL}/installations", at=skill_of_page, refused=_not_asked)
async def install_marketplace_skill(outcome: Outcome[None, None]) -> ResponseReturnValue:
    """Have a gateway install a skill."""
    return go(f"{SKILLS}/{outcome.ids['skill_id']}#gateways")


@action(pages, f"{INSTALL}/removals", at=skill_of_page, refused=_not_asked)
async def uninstall_marketplace_skill(outcome: Outcome[None, None]) -> ResponseReturnValue:
    """Have a gateway remove a skill."""
    return go(f"{SKILLS}/{outcome.ids['skill_id']}#gateways")


@action(pages, f"{SKILL}/deletions")
async def delete_marketplace_skill(outcome: Outcome[Skill, None]) -> ResponseReturnValue:
    """Remove a skill from the catalogue."""
    return go(SKILLS)


pack_pages = Pages("skill_packs_pages", __name__)
PACK_ORDERS = {
    "newest": Order("newest"),
    "name": Order("by name", lambda pack: (pack["name"] or "").casefold()),
    "skills": greatest("most skills", lambda pack: pack["skill_count"]),
}
PACKS, PACK = f"{SKILLS}/packs", f"{SKILLS}/packs/<uuid:pack_id>"


async def _pack_listed(actor: Actor, asked: Asked) -> PageContext:
    own = await own_jobs(actor)
    jobs = [job for job in (*own.running, *own.finished) if job.kind == "pack_sync"]
    return {"packs": PACK_ORDERS[asked.order].sorted(await skills.list_packs(actor.organization_id)), "jobs": jobs}


LiveList(
    pages=pack_pages, place=SETTINGS, path=PACKS, template="gateway_agents/skills/packs.html", read=_pack_listed,
    orders=PACK_ORDERS, news=Concerns[View](("skill_pack.", "skill."), ("job_id",)), verb="skill_pack.read",
)  # fmt: skip


async def _form(actor: Actor, pack: SkillPack | None, values: Fields, errors: dict[str, str]) -> str:
    return await settings_page(
        actor,
        "gateway_agents/skills/pack_form.html",
        SETTINGS.key,
        pack=pack,
        values=values,
        errors=errors,
        labels=PACK_LABELS,
    )


class PackForm(Form):
    """A pack to add, or its new fields."""

    source_url: skills.AnyAddress
    name: NonEmptyStr | None = None
    branch: str = "main"
    description: str | None = None

    def body(self, found: SkillPack | None) -> Fields:
        """Return the pack; what the form does not show stays."""
        return self.model_dump() | {"metadata": found.metadata if found is not None else {}}


async def _starting(actor: Actor, pack: SkillPack | None) -> FormValues:
    return {name: getattr(pack, name) for name in PACK_LABELS} if pack is not None else {"branch": "main"}


async def _not_saved(refusal: Refusal[SkillPack | None, PackForm]) -> ResponseReturnValue:
    refusal.only(*SHOWN, Refused)
    errors = {"source_url": refusal.sentence} if isinstance(refusal.error, Refused) else refusal.errors
    return await _form(refusal.actor, refusal.found, refusal.values, errors)


@action(pack_pages, PACKS, form=PackForm, refused=_not_saved, shows=_form, page=f"{PACKS}/new", starts=_starting)
async def create_skill_pack(outcome: Outcome[None, PackForm]) -> ResponseReturnValue:
    """Add a pack; its skills come with the first sync."""
    return go(f"{PACKS}#pack-{outcome.answer['id']}")


@action(pack_pages, PACK, form=PackForm, refused=_not_saved, shows=_form, page=PACK, starts=_starting)
async def update_skill_pack(outcome: Outcome[SkillPack, PackForm]) -> ResponseReturnValue:
    """Change a pack."""
    return go(f"{PACKS}#pack-{outcome.found.id}")


@action(pack_pages, f"{PACK}/syncs")
async def start_pack_sync(outcome: Outcome[SkillPack, None]) -> ResponseReturnValue:
    """Sync a pack, as a job that may be left."""
    return go("/work")


@action(pack_pages, f"{PACKS}/syncs")
async def start_pack_syncs(outcome: Outcome[None, None]) -> ResponseReturnValue:
    """Sync all packs, as one job that may be left."""
    return go("/work")


async def _ask_deletion(actor: Actor, pack: SkillPack, values: Fields, errors: dict[str, str]) -> str:
    return await settings_page(
        actor, "gateway_agents/skills/pack_delete.html", SETTINGS.key, pack=await skills.read_pack(pack.id)
    )


@action(pack_pages, f"{PACK}/deletions", shows=_ask_deletion, page=f"{PACK}/delete")
async def delete_skill_pack(outcome: Outcome[SkillPack, None]) -> ResponseReturnValue:
    """Remove a pack."""
    return go(PACKS)
