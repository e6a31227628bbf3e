"""Prices of models as a page of the settings: one's own, which can be set and deleted, and those of the list."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from quart import request
from quart.typing import ResponseReturnValue

from mission_control.agents.models import ModelPrice
from mission_control.agents.usage.prices import MOST_USD, list_prices
from mission_control.core.actor import Actor
from mission_control.core.values import BlankToNone, NonEmptyStr
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Form, done
from mission_control.web.fragments import PageContext
from mission_control.web.lists import Asked, LiveList, Pages
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import SettingsPage, administers

LABELS = {
    "model": "Model", "since": "Since", "input_usd": "Input", "output_usd": "Output", "cached_usd": "Read from cache",
    "written_usd": "Written to cache",
}  # fmt: skip
pages = Pages("price_pages", __name__)
HOME = "/settings/prices"
SETTINGS = SettingsPage(
    "prices", "Organization", "Prices", HOME, "tag", 171, "models cost money dollars tokens", may=administers
)


def _usd(text: str) -> str:
    """A typed price; ValueError says what is wrong with it."""
    try:
        usd = Decimal(text.replace(",", "").replace(" ", "").lstrip("$"))
    except InvalidOperation:
        raise ValueError("enter a number") from None
    if not usd.is_finite() or not 0 <= usd <= MOST_USD:
        raise ValueError(f"enter 0 to {MOST_USD:,}")
    return str(usd)


Typed = Annotated[str, AfterValidator(_usd)]


class PriceForm(Form):
    """A new price of a model."""

    model: NonEmptyStr
    since: Annotated[str | None, BlankToNone] = None
    input_usd: Typed
    output_usd: Typed
    cached_usd: Annotated[Typed | None, BeforeValidator(lambda text: text or None)] = None
    written_usd: Annotated[Typed | None, BeforeValidator(lambda text: text or None)] = None


async def _listed(actor: Actor, _: Asked) -> PageContext:
    found = await list_prices(actor)
    return {"own": [one for one in found if one.id], "listed": [one for one in found if not one.id]}


async def _around(actor: Actor) -> PageContext:
    return {"values": {"model": request.args.get("model", "")[:200]}, "errors": {}, "labels": LABELS}


LIST = LiveList(
    pages=pages, place=SETTINGS, template="agents/usage/prices.html", read=_listed, around=_around,
    blocks=("prices",), news=Concerns[View](("price.",)), verb="price.manage", is_shared=True,
)  # fmt: skip


async def _not_created(refusal: Refusal[None, PriceForm]) -> ResponseReturnValue:
    return await LIST.show(refusal.actor, values=refusal.values, errors=refusal.errors)


@action(pages, HOME, form=PriceForm, refused=_not_created)
async def create_price(outcome: Outcome[None, PriceForm]) -> ResponseReturnValue:
    return done(HOME, toast="Price set")


@action(pages, f"{HOME}/<uuid:price_id>/deletion")
async def delete_price(outcome: Outcome[ModelPrice, None]) -> ResponseReturnValue:
    return done(HOME, toast="Price deleted")
