"""Cards as HTML, each made once for everybody who sees it alike."""

from functools import lru_cache

from markupsafe import Markup
from quart import current_app

from mission_control.boards.columns import Card
from mission_control.web.fragments import render_macro

TEMPLATE = "ui/card.html"
KEPT = 3000  # cards, about 1.5 KB each


def card_html(card: Card, may_move: bool) -> str:
    """Return a card. Its HTML depends on nothing but its values, so equal cards are rendered once."""
    return (_render if current_app.debug else _rendered)(card, may_move)


def cards_html(cards: list[Card], may_move: bool) -> Markup:
    """Return cards one after the other."""
    return Markup("".join([card_html(one, may_move) for one in cards]))


def _render(card: Card, may_move: bool) -> str:
    return render_macro(TEMPLATE, "card", one=card, may_move=may_move)


_rendered = lru_cache(KEPT)(_render)
