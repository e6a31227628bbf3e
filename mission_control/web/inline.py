"""Pages that are drawn by their first answer: styles, scripts and icons stand in them, and their policy names those.

A page on a slow line waits for every further request before something is seen. Modules may come later.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from markupsafe import Markup
from quart import Response, render_template

from mission_control.http.exchange import CONTENT_SECURITY_POLICY
from mission_control.web.assets import ROOT, smaller

_ELEMENTS = {".css": ("style", "style-src"), ".js": ("script", "script-src")}
_SYMBOL = re.compile(r'<symbol id="([\w-]+)"[^>]*>(.*?)</symbol>', re.S)


async def inline_page(template: str, *names: str, status: int = 200, **context: object) -> Response:
    """Return a page with static files written into it, as `inlined`; its policy allows exactly these."""
    html = await render_template(template, inlined=Markup("").join(map(element, names)), **context)
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = policy(names)
    return response


@cache
def element(name: str) -> Markup:
    """Return a style sheet or a script as an element."""
    tag, _ = _ELEMENTS[Path(name).suffix]
    return Markup("<{0}>{1}</{0}>").format(Markup(tag), Markup(smaller(name).decode()))


@cache
def policy(names: tuple[str, ...]) -> str:
    """Return the policy of a page with these files in it."""
    rules = CONTENT_SECURITY_POLICY
    for name in names:
        directive = f"{_ELEMENTS[Path(name).suffix][1]} 'self'"
        digest = b64encode(hashlib.sha256(smaller(name)).digest()).decode()
        rules = rules.replace(directive, f"{directive} 'sha256-{digest}'")
    return rules


@cache
def _symbols() -> Mapping[str, Markup]:
    return {name: Markup(path) for name, path in _SYMBOL.findall((ROOT / "icons" / "sprite.svg").read_text())}


def drawn(name: str) -> Markup:
    """Return the lines of an icon, for a page that does not load the sprite."""
    return _symbols()[name]
