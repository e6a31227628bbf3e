"""Pages that are drawn by their first answer: styles, scripts and icons stand in them, and their policy names those.

A page on a slow line waits for every further request before something is seen. Modules may come later.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from posixpath import dirname, normpath

from markupsafe import Markup
from quart import Response, render_template

from mission_control.http.exchange import CONTENT_SECURITY_POLICY
from mission_control.web.assets import ROOT, asset, smaller

_ELEMENTS = {".css": ("style", "style-src"), ".js": ("script", "script-src")}
_ICON = re.compile(r'<svg class="icon"([^>]*)><use href="[^"]*/sprite\.svg#([\w-]+)"></use></svg>')
_URL = re.compile(r'url\("(\.\./[\w./-]+)"\)')
_SYMBOL = re.compile(r'<symbol id="([\w-]+)"[^>]*>(.*?)</symbol>', re.S)


async def inline_page(template: str, *names: str, status: int = 200, **context: object) -> Response:
    """Return a page with static files written into it, as `inlined`; its policy allows exactly these."""
    html = await render_template(template, inlined=Markup("").join(map(element, names)), **context)
    response = Response(drawn(html), status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = policy(names)
    return response


@cache
def element(name: str) -> Markup:
    tag, _ = _ELEMENTS[Path(name).suffix]
    return Markup("<{0}>{1}</{0}>").format(Markup(tag), Markup(_text(name)))


@cache
def _text(name: str) -> str:
    """Return what stands in the page: the addresses in it do not depend on where that is."""
    return _URL.sub(lambda match: f'url("{asset(normpath(f"{dirname(name)}/{match[1]}"))}")', smaller(name).decode())


@cache
def policy(names: tuple[str, ...]) -> str:
    """Return the policy of a page with these files in it."""
    rules = CONTENT_SECURITY_POLICY
    for name in names:
        directive = f"{_ELEMENTS[Path(name).suffix][1]} 'self'"
        digest = b64encode(hashlib.sha256(_text(name).encode()).digest()).decode()
        rules = rules.replace(directive, f"{directive} 'sha256-{digest}'")
    return rules


@cache
def _symbols() -> Mapping[str, Markup]:
    return {name: Markup(path) for name, path in _SYMBOL.findall((ROOT / "icons" / "sprite.svg").read_text())}


def drawn(html: str) -> str:
    """Return HTML with its icons drawn in place, for a page that does not load the sprite."""
    return _ICON.sub(
        lambda match: f'<svg class="icon" viewBox="0 0 24 24"{match[1]}>{_symbols()[match[2]]}</svg>', html
    )
