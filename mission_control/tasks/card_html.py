"""Cards as HTML, each made once for everybody who sees it alike."""

from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from markupsafe import Markup
from quart import current_app

from mission_control.core import zones
from mission_control.tasks.card_rows import Card
from mission_control.web.fragments import render_macro

TEMPLATE = "ui/card.html"
KEPT = 3000  # cards, about 1.5 KB each


def card_html(card: Card, may_move: bool) -> str:
    """Return a card. Equal cards are rendered once for each zone of their readers and each day there."""
    if current_app.debug:
        return _render(card, may_move)
    zone = zones.reader()
    return _rendered(card, may_move, zone, zones.today(zone))


def cards_html(cards: list[Card], may_move: bool) -> Markup:
    """Return cards one after the other."""
    return Markup("".join([card_html(one, may_move) for one in cards]))


def _render(card: Card, may_move: bool) -> str:
    return render_macro(TEMPLATE, "card", one=card, may_move=may_move)


@lru_cache(KEPT)
def _rendered(card: Card, may_move: bool, _zone: ZoneInfo, _today: date) -> str:
    return _render(card, may_move)
