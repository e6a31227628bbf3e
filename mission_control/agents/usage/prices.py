"""What models cost: by an organization's own prices, else by our list (`prices.csv`); set and lift own prices."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, Field
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.agents.models import ModelPrice, UsageEntry
from mission_control.core import times
from mission_control.core.actor import Actor, Scope, rule
from mission_control.core.amounts import MICROS, micros
from mission_control.core.errors import Conflict, existing
from mission_control.core.values import Body, JsonObject, NonEmptyStr, Paging, Schema, example
from mission_control.database.sql import placeholders, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record
from mission_control.http.registry import lookup

EVENTS = (
    Kind("price.created", "An organization set its own price of a model.", "set a price of a model"),
    Kind("price.deleted", "An own price of a model was deleted.", "lifted a price of a model"),
)

LIST = Path(__file__).with_name("prices.csv")
MOST_USD = 10**6
# A date at the end, the window that a program writes into the name, and the provider in front.
SUFFIX = re.compile(r"(\[\w+\]|[-@]latest|[-@]20\d\d-?[01]\d-?[0-3]\d)+$")


def plain(model: str) -> str:
    """Return a model's name as prices have it: `anthropic/claude-opus-4-1-20250805` is `claude-opus-4-1`."""
    whole = model.strip().lower()
    name = whole.rpartition("/")[2] or whole
    return SUFFIX.sub("", name) or name


@dataclass(frozen=True, slots=True)
class Price:
    """Millionths of a US dollar for a million tokens, since a day, for requests with more input than `above`."""

    model: str
    since: str
    input: int
    output: int
    cached: int | None = None
    written: int | None = None
    above: int = 0
    checked: str = ""  # when our list was compared with its source; "" for an own price
    source: str = ""

    def cost(self, entry: UsageEntry) -> int:
        """Return the cost of an entry in millionths of a dollar, rounded half up."""
        cached = min(entry.cached_tokens, entry.input_tokens)
        written = min(entry.written_tokens, entry.input_tokens - cached)
        amount: int = (
            (entry.input_tokens - cached - written) * self.input
            + cached * (self.input if self.cached is None else self.cached)
            + written * (self.input if self.written is None else self.written)
            + entry.output_tokens * self.output
        )
        return (amount + MICROS // 2) // MICROS


@cache
def listed() -> tuple[Price, ...]:
    text = [line for line in LIST.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    sources = dict(re.findall(r"^# (\w+): (https://\S+)$", LIST.read_text(encoding="utf-8"), re.MULTILINE))

    def of(usd: str) -> int | None:
        return micros(Decimal(usd)) if usd else None

    prices = [
        Price(
            model=row["model"],
            since=row["from"],
            input=of(row["input"]) or 0,
            output=of(row["output"]) or 0,
            cached=of(row["cached"]),
            written=of(row["written"]),
            above=int(row["above"] or 0),
            checked=row["checked"],
            source=sources[row["source"]],
        )
        for row in csv.DictReader(text)
    ]
    prices.sort(key=lambda price: (price.since, price.above), reverse=True)
    return tuple(sorted(prices, key=lambda price: price.model))


def chosen(prices: Iterable[Price], entry: UsageEntry) -> Price | None:
    """Return the first price that holds on an entry's day. Only one request, known by its key, can be a long one."""
    longest = entry.input_tokens if entry.key is not None else 0
    holding = (price for price in prices if price.since <= entry.day and (not price.above or price.above < longest))
    return next(holding, None)


async def set_prices(organization_id: UUID, entries: Sequence[UsageEntry]) -> None:
    """Set the cost of entries that were told without one, and say of each where its cost comes from."""
    without = [entry for entry in entries if not entry.cost_micros and entry.input_tokens + entry.output_tokens]
    if not without:
        return
    own = await _own(organization_id, {plain(entry.model) for entry in without if entry.model})
    for entry in without:
        name = plain(entry.model or "")
        if (price := chosen(_of_model(name, own), entry)) is not None:
            entry.priced, entry.price_date = "own", price.since
        elif (price := chosen(_of_model(name, listed()), entry)) is not None:
            entry.priced, entry.price_date = "list", price.checked
        else:
            entry.priced, entry.unpriced_tokens = "unpriced", entry.input_tokens + entry.output_tokens
            continue
        entry.cost_micros = price.cost(entry)


def _of_model(name: str, prices: Iterable[Price]) -> Iterable[Price]:
    return (price for price in prices if price.model == name)


async def _own(organization_id: UUID, models: set[str]) -> list[Price]:
    if not models:
        return []
    prices = await rows(
        f"SELECT * FROM model_prices WHERE organization_id = ? AND model IN ({placeholders(len(models))})"
        " ORDER BY since DESC",
        organization_id,
        *models,
    )
    return [_price(ModelPrice(**row)) for row in prices]


def _price(row: ModelPrice) -> Price:
    amounts = row.input_micros, row.output_micros, row.cached_micros, row.written_micros
    return Price(row.model, row.since, *amounts)


Usd = Annotated[Decimal, Field(ge=0, le=MOST_USD, allow_inf_nan=False, description="US dollars for a million tokens")]


class PriceCreate(Body):
    """What you pay for a model since a day. It holds for what is reported from now on."""

    model_config = example(model="local-qwen", input_usd="0.10", output_usd="0.40")

    model: Annotated[NonEmptyStr, Field(max_length=200), AfterValidator(plain)]
    since: Annotated[date | None, Field(description="The first day (UTC) of this price; left out: today")] = None
    input_usd: Usd
    output_usd: Usd
    cached_usd: Annotated[Usd | None, Field(description="Read from a cache; left out: as other input")] = None
    written_usd: Annotated[Usd | None, Field(description="Written to a cache; left out: as other input")] = None


class PriceRead(Schema):
    """What a model costs, in US dollars for a million tokens."""

    id: Annotated[UUID | None, Field(description="null for a price of the list that comes with the program")]
    model: str
    since: Annotated[date | None, Field(description="Its first day; null: as long as it is known")]
    above: Annotated[int | None, Field(description="Only for requests with more input tokens")]
    input_usd: float
    output_usd: float
    cached_usd: Annotated[float | None, Field(description="Read from a cache; null: as other input")]
    written_usd: Annotated[float | None, Field(description="Written to a cache; null: as other input")]
    source: Annotated[str | None, Field(description="Where the list has it from; null for your own price")]
    checked: Annotated[date | None, Field(description="When the list was compared with its source")]

    @classmethod
    def of(cls, price: Price, price_id: UUID | None = None) -> Self:
        return cls(
            id=price_id,
            model=price.model,
            since=date.fromisoformat(price.since) if price.since else None,
            above=price.above or None,
            source=price.source or None,
            checked=date.fromisoformat(price.checked) if price.checked else None,
            input_usd=price.input / MICROS,
            output_usd=price.output / MICROS,
            cached_usd=None if price.cached is None else price.cached / MICROS,
            written_usd=None if price.written is None else price.written / MICROS,
        )


class PriceQuery(Paging):
    """Which prices."""

    model: Annotated[str, Field(max_length=200, description="Only prices of this model")] = ""


async def list_prices(actor: Actor, model: str = "") -> list[PriceRead]:
    """Return the own prices of the active organization, then those of the list, by model, the newest first."""
    own_rows = await rows(
        "SELECT * FROM model_prices WHERE organization_id = ? ORDER BY model, since DESC", actor.organization_id
    )
    own = [PriceRead.of(_price(price), price.id) for price in (ModelPrice(**row) for row in own_rows)]
    return [price for price in (*own, *map(PriceRead.of, listed())) if not model or price.model == plain(model)]


@rule("price.manage")
def may_manage_prices(actor: Actor, thing: ModelPrice | UUID | None) -> bool:
    """Owners and admins of the price's organization, or of one that is named."""
    organization_id = thing.organization_id if isinstance(thing, ModelPrice) else thing or actor.organization_id
    return actor.is_user and actor.administers(organization_id)


@lookup
async def visible_price(actor: Actor, price_id: UUID) -> ModelPrice:
    return await existing(ModelPrice.get_or_none(id=price_id, organization_id=actor.organization_id))


@command("price.manage")
async def create_price(actor: Actor, organization_id: UUID, new: PriceCreate) -> PriceRead:
    """Set what an organization pays for a model. Raise Conflict when it has a price of that day."""
    since = new.since or times.clock_now().date()
    made = ModelPrice(organization_id=organization_id, model=new.model, since=since.isoformat())
    for name in ("input", "output", "cached", "written"):
        usd = getattr(new, f"{name}_usd")
        setattr(made, f"{name}_micros", None if usd is None else micros(usd))
    try:
        async with in_transaction():
            await made.save(force_create=True)
    except IntegrityError:
        raise Conflict("There is a price of this model since that day already. Delete it first.") from None
    read = PriceRead.of(_price(made), made.id)
    record("price.created", _scope(made), f"Price set: {made.model}.", **_facts(read))
    return read


@command("price.manage")
async def delete_price(actor: Actor, price: ModelPrice) -> None:
    """Delete an own price. What was counted by it stays."""
    await existing(ModelPrice.select_for_update().get_or_none(id=price.id))
    await ModelPrice.filter(id=price.id).delete()
    record("price.deleted", _scope(price), f"Price deleted: {price.model}.", **_facts(PriceRead.of(_price(price))))


def _scope(price: ModelPrice) -> Scope:
    return Scope(price.organization_id, subject_id=price.id)


def _facts(price: PriceRead) -> JsonObject:
    return price.model_dump(mode="json", exclude={"id", "above", "source", "checked"})
