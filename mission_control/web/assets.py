"""Static files under a path that carries the build's hash, so that browsers may cache them forever."""

import gzip
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import rjsmin
from markupsafe import Markup
from quart import Quart, Response, abort, current_app, request

from mission_control.core.paths import data_dir

ROOT = data_dir("static")
FOREVER = "public, max-age=31536000, immutable"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
_IMPORT = re.compile(rb'@import url\("((?:\.\./)?[\w.-]+)"\);')
_NEEDS = re.compile(r'^import (?:\* as (\w+)|(\{[^}]*\})) from "(\.\.?/)([\w-]+)\.js";\n', re.M)
_GIVES = re.compile(r"^export (const (\w+))", re.M)
ENTRY = "js/app.js"
# Files that every page needs, sent as one.
JOINED = {"vendor/htmx.js": ("vendor/htmx.min.js", "vendor/hx-sse.min.js")}
_COMMENT = re.compile(r"/\*.*?\*/", re.S)
_SPACES, _AROUND = re.compile(r"\s+"), re.compile(r" ?([{};]) ?")
COMPRESSED = {".css", ".js", ".svg", ".webmanifest"}
SMALLEST_COMPRESSED = 1024
# Styles and modules that only some pages load, by name, beside those that every page has.
PAGES = "pages"
# Styles and modules of pages that load nothing else.
ALONE = "alone"


@cache
def build() -> str:
    """The first twelve digits of a hash over all static files, made once."""
    digest = hashlib.sha256()
    for path in _servable():
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _servable() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*") if path.is_file() and path.suffix in TYPES)


def asset(name: str) -> str:
    if name not in _names():
        raise LookupError(f"There is no static file {name!r}.")
    return f"/static/{build()}/{name}"


@cache
def _names() -> frozenset[str]:
    return frozenset(path.relative_to(ROOT).as_posix() for path in _servable()) | JOINED.keys()


def page_assets(*names: str) -> Markup:
    """Return the tags for the styles and modules of `css/pages/` and `js/pages/` with these names."""
    tags = Markup("")
    for name in names:
        style, script = f"css/{PAGES}/{name}.css", f"js/{PAGES}/{name}.js"
        if not {style, script} & _names():
            raise LookupError(f"No styles and no module of pages are named {name!r}.")
        if style in _names():
            tags += Markup('<link rel="stylesheet" href="{}">').format(asset(style))
        if script in _names():
            tags += Markup('<script type="module" src="{}"></script>').format(asset(script))
    return tags


def read(name: str) -> bytes:
    """Return the bytes to serve. What a stylesheet or an entry module imports is put in place: one request each."""
    path = ROOT / name
    if name in JOINED:
        return b";\n".join((ROOT / part).read_bytes() for part in JOINED[name])
    if name == ENTRY or path.parent == ROOT / "js" / ALONE:
        return bundle(path).encode()
    if path.parent == ROOT / "js" / PAGES:
        return page_bundle(path).encode()
    data = path.read_bytes()
    if path.suffix != ".css":
        return data
    return _IMPORT.sub(lambda match: (path.parent / match[1].decode()).read_bytes(), data)


def bundle(entry: Path) -> str:
    parts: dict[str, str] = {}
    _add_module(entry, parts)
    # The last line gives the modules of every page to those of some pages.
    names = ", ".join(f"modules_{name}" for name in parts)
    return "".join([*parts.values(), f"globalThis.missionControl = {{ {names} }};\n"])


def page_bundle(entry: Path) -> str:
    loaded: dict[str, str] = {}
    _add_module(ROOT / ENTRY, loaded)
    parts = dict.fromkeys(loaded, "")
    _add_module(entry, parts)
    body = "".join(parts.values())
    used = [name for name in loaded if f"modules_{name};" in body]
    return f"const {{ {', '.join(f'modules_{name}' for name in used)} }} = globalThis.missionControl;\n{body}"


def _add_module(path: Path, parts: dict[str, str]) -> None:
    text = path.read_text()
    for needed in _NEEDS.finditer(text):
        if needed[4] not in parts:
            _add_module((path.parent / f"{needed[3]}{needed[4]}.js").resolve(), parts)
    names = ", ".join(export[2] for export in _GIVES.finditer(text))
    body = _GIVES.sub(r"\1", _NEEDS.sub(lambda match: f"const {match[1] or match[2]} = modules_{match[4]};\n", text))
    parts[path.stem] = f"const modules_{path.stem} = (() => {{\n{body}return {{ {names} }};\n}})();\n"


def _smaller_styles(text: str) -> str:
    """Leave out comments and spaces. Minifiers for Python join `.a :is(b)` inside of layers: another rule."""
    return _AROUND.sub(r"\1", _SPACES.sub(" ", _COMMENT.sub("", text)))


MINIFIED: Mapping[str, Callable[[str], str]] = {".css": _smaller_styles, ".js": rjsmin.jsmin}


def smaller(name: str) -> bytes:
    """Return the bytes to serve, our own styles and modules without comments and spaces; what is vendored stays."""
    data, suffix = read(name), Path(name).suffix
    if name.startswith("vendor/") or suffix not in MINIFIED:
        return data
    return MINIFIED[suffix](data.decode()).encode()


_smaller_once = cache(smaller)


@cache
def _compressed_once(name: str) -> bytes | None:
    """Return a file compressed as far as it goes; None where that is not worth it."""
    data = _smaller_once(name)
    worth_it = Path(name).suffix in COMPRESSED and len(data) >= SMALLEST_COMPRESSED
    return gzip.compress(data, 9, mtime=0) if worth_it else None


def install(app: Quart) -> None:
    """Serve the static files. The app needs `static_folder=None`."""
    app.add_url_rule("/static/<asset_build>/<path:name>", "assets.file", _file)
    app.add_url_rule("/favicon.ico", "assets.favicon", _favicon)


async def _file(asset_build: str, name: str) -> Response:
    if name not in _names():  # a fixed set of names: a path can never lead out of the folder
        abort(404)
    packed = None
    if not current_app.debug and request.accept_encodings.quality("gzip") > 0:
        packed = _compressed_once(name)
    response = Response(packed or (read(name) if current_app.debug else _smaller_once(name)))
    response.content_type = TYPES[Path(name).suffix]
    if packed is not None:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["X-Content-Type-Options"] = "nosniff"
    is_current = asset_build == build() and not current_app.debug
    response.headers["Cache-Control"] = FOREVER if is_current else "no-cache"
    return response


async def _favicon() -> Response:
    return Response("", 302, {"Location": asset("icons/favicon.svg"), "Cache-Control": "public, max-age=3600"})
