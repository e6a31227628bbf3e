"""Find the skills in a repository: its address, a clone in a limited process, and the texts in it."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mission_control.core.errors import Refused, Unreachable
from mission_control.core.values import JsonObject, parts_of
from mission_control.gateway_agents.models import Skill

OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,99})")
REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}")
BRANCH = re.compile(r"[A-Za-z0-9._/-]{1,255}")
HOST = "github.com"
EXPECTED = "A pack is a repository of GitHub: https://github.com/<owner>/<repository>."


def repository_url(text: str) -> str:
    """Return the canonical address of a repository. Raises Refused for anything but GitHub over https."""
    parts = parts_of(text.strip())
    if parts.scheme != "https":
        raise Refused(f"A pack cannot be read over {parts.scheme[:20]!r}; use https.")
    if parts.netloc.lower() != HOST or parts.query or parts.fragment:
        raise Refused(EXPECTED)
    owner, _, name = parts.path.strip("/").removesuffix(".git").partition("/")
    if not OWNER.fullmatch(owner) or not REPOSITORY.fullmatch(name) or name in (".", ".."):
        raise Refused(EXPECTED)
    return f"https://{HOST}/{owner}/{name}"


def usable_branch(text: str) -> str:
    """`main` for an invalid name."""
    text = text.strip()
    return text if BRANCH.fullmatch(text) and not text.startswith("-") else "main"


def name_from(url: str) -> str:
    last = unquote(parts_of(url).path.rstrip("/").rpartition("/")[2]).removesuffix(".git")
    return re.sub(r"[-_\s]+", " ", last).replace("\x00", "").strip() or "Skill"


LOOK_EVERY_SECONDS = 0.25
LONGEST_REASON = 200
# Only what the network needs is kept of the environment, so that nothing configures git.
PASSED = ("PATH", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SYSTEMROOT")


class NotCopied(Exception):
    """Git failed; the text is its reason."""


@dataclass(frozen=True, slots=True)
class Git:
    """How repositories are cloned. `base_url` replaces https://github.com."""

    base_url: str
    seconds: float = 120.0
    most_bytes: int = 209_715_200

    @asynccontextmanager
    async def cloned(self, url: str, branch: str) -> AsyncIterator[tuple[Path, str, list[str]]]:
        """Yield a clone of a repository, its branch and warnings. It is removed when the block ends.

        The default branch replaces a missing branch other than main. Raises Unreachable when there is no clone.
        """
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="mission-control-pack-"))
        try:
            async with asyncio.timeout(self.seconds):
                is_default = await self._clone_or_default(url, folder, branch)
                copy = str(folder / "copy")
                on = (await self._git(folder, url, "-C", copy, "rev-parse", "--abbrev-ref", "HEAD")).strip()
            instead = f"There is no branch {branch}; the default branch {on} was read instead."
            yield folder / "copy", on, [instead] if is_default else []
        except TimeoutError:
            raise Unreachable("Cloning the repository took too long. Try again later.") from None
        except NotCopied as error:
            raise Unreachable(f"The repository could not be cloned: {error}") from None
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _clone_or_default(self, url: str, folder: Path, branch: str) -> bool:
        try:
            await self._clone(url, folder, f"--branch={branch}")
        except NotCopied:
            if branch == "main":
                raise
            await asyncio.to_thread(shutil.rmtree, folder / "copy", ignore_errors=True)
            await self._clone(url, folder)
            return True
        return False

    async def _clone(self, url: str, folder: Path, *options: str) -> None:
        shape = ("--depth=1", "--single-branch", "--no-tags", "--no-recurse-submodules", "--quiet")
        await self._git(folder, url, "clone", *shape, *options, "--", self._address(url), str(folder / "copy"))

    def _address(self, url: str) -> str:
        return self.base_url + urlsplit(url).path

    async def _git(self, folder: Path, url: str, *arguments: str) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                "git", "-c", "core.symlinks=false", "-c", "core.hooksPath=/dev/null", *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=folder,
                env=self._environment(folder),
                start_new_session=True,
            )  # fmt: skip
        except FileNotFoundError:
            raise Unreachable("Git is not installed on this server. Install it to sync skill packs.") from None
        try:
            output, complaint = await self._within_size(process, folder)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if process.returncode:
            reason, address = complaint.decode("utf-8", "replace"), self._address(url)
            reason = reason.replace(address, url)
            if self.base_url.startswith("file:"):
                reason = reason.replace(urlsplit(address).path, url)
            raise NotCopied(reason_in(reason.replace(str(folder), "")))
        return output.decode("utf-8", "replace")

    async def _within_size(self, process: asyncio.subprocess.Process, folder: Path) -> tuple[bytes, bytes]:
        talk = asyncio.ensure_future(process.communicate())
        try:
            while True:
                is_done, _ = await asyncio.wait({talk}, timeout=LOOK_EVERY_SECONDS)
                if await asyncio.to_thread(size_of, folder) > self.most_bytes:
                    raise Unreachable(f"The repository is larger than {self.most_bytes // 1_048_576} MiB.")
                if is_done:
                    return talk.result()
        finally:
            talk.cancel()

    def _environment(self, folder: Path) -> dict[str, str]:
        return {name: os.environ[name] for name in PASSED if name in os.environ} | {
            "HOME": str(folder),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "true",
            "GIT_ALLOW_PROTOCOL": urlsplit(self.base_url).scheme,
            "GIT_LFS_SKIP_SMUDGE": "1",
        }


def size_of(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def reason_in(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for sign in ("fatal: ", "error: "):
        if reason := next((line for line in lines if line.startswith(sign)), None):
            return reason.removeprefix(sign)[:LONGEST_REASON]
    return lines[0][:LONGEST_REASON] if lines else "git gives no reason."


FIELD = re.compile(r"(name|description):(.*)")
BLOCK = re.compile(r"[>|][+-]?[0-9]?")
QUOTED = re.compile(r"""^(["'])(.*)\1$""", re.DOTALL)


def described(text: str) -> tuple[str | None, str | None]:
    """Return name and description: from the front matter, else the first heading and the first plain line."""
    fields, lines = _front_matter(text.splitlines())
    name = fields.get("name") or next((line[2:].strip() for line in lines if line.startswith("# ")), None)
    return name or None, fields.get("description") or _first_plain_line(lines)


def _front_matter(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """Split a text into the fields before it, and the rest."""
    bars = [number for number, line in enumerate(lines) if line.strip() == "---"][:2]
    if len(bars) < 2 or bars[0] != 0:
        return {}, lines
    return _fields(lines[1 : bars[1]]), lines[bars[1] + 1 :]


def _fields(lines: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for number, line in enumerate(lines):
        if (match := FIELD.fullmatch(line)) is not None:
            value = match[2].strip()
            fields[match[1]] = _block(lines[number + 1 :]) if not value or BLOCK.fullmatch(value) else value
    return {name: QUOTED.sub(r"\2", value).strip() for name, value in fields.items()}


def _block(lines: list[str]) -> str:
    """Join the lines of a value that begins on the next line."""
    parts = (line.strip() for line in takewhile(lambda line: not line.strip() or line[0].isspace(), lines))
    return " ".join(filter(None, parts))


def _first_plain_line(lines: list[str]) -> str | None:
    in_code = False
    for line in map(str.strip, lines):
        if line.startswith("```"):
            in_code = not in_code
        elif line and not in_code and line[0] not in "#>|<!" and line != "---":
            return line
    return None


INDEX = "skills_index.json"
SKILL = "SKILL.md"
LARGEST_INDEX, LARGEST_SKILL = 5_242_880, 262_144
MOST_SKILLS = 2000
LONGEST_NAME, LONGEST_TEXT, LONGEST_URL = 200, 4000, 2000
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(slots=True)
class Discovery:
    """The skills of a pack, each address once, and warnings. The skills are not stored, and are of no organization."""

    skills: dict[str, Skill] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def discover(root: Path, url: str, branch: str) -> Discovery:
    """Return the skills of a pack. A broken index becomes a warning, and the files are searched instead."""
    discovery = Discovery()
    entries = _index_entries(root / INDEX, discovery)
    if entries is None:
        _by_files(root, url, branch, discovery)
    else:
        _by_index(root, entries, url, branch, discovery)
    if len(discovery.skills) > MOST_SKILLS:
        discovery.warnings.append(f"The pack holds {len(discovery.skills)} skills; the first {MOST_SKILLS} were taken.")
        discovery.skills = dict(list(discovery.skills.items())[:MOST_SKILLS])
    return discovery


def _index_entries(file: Path, discovery: Discovery) -> list[JsonObject] | None:
    if file.is_symlink() or not file.is_file():
        return None
    try:
        if file.stat().st_size > LARGEST_INDEX:
            raise ValueError("it is too large")
        content = json.loads(file.read_text(encoding="utf-8-sig"))
        entries = content.get("skills") if isinstance(content, dict) else content
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ValueError("it is no list of objects")
    except (ValueError, OSError, RecursionError) as error:
        reason = str(error) if type(error) is ValueError else "it is no JSON"
        discovery.warnings.append(f"{INDEX} cannot be used: {reason}. {SKILL} files were searched instead.")
        return None
    return entries


def _by_index(root: Path, entries: list[JsonObject], url: str, branch: str, discovery: Discovery) -> None:
    for number, entry in enumerate(entries, start=1):
        source_url, path = _text(entry.get("source_url")), _inner_path(entry.get("path"))
        address, path = _address_of(source_url, path, f"{url}/tree/{branch}")
        if not address or len(address) > LONGEST_URL:
            discovery.warnings.append(f"Entry {number} of {INDEX} has no usable path or address; it was left out.")
            continue
        places = {"pack_branch": branch, "source_url": source_url, "resolved_path": path}
        discovery.skills[address] = Skill(
            source_url=address,
            name=(_text(entry.get("name")) or (path or "Skill").rpartition("/")[2])[:LONGEST_NAME],
            **{name: _text(entry.get(name)) for name in ("description", "category", "risk")},
            source=path,
            metadata={"discovery_mode": "skills_index"} | {name: place for name, place in places.items() if place},
            content=_content(root / path / SKILL, root) if path else None,
        )


def _address_of(source_url: str | None, path: str | None, base: str) -> tuple[str, str | None]:
    """Return where a skill of an index is, and its folder in the pack where it is there."""
    if source_url and parts_of(source_url).scheme in ("http", "https"):
        inner = source_url.removeprefix(f"{base}/")
        return source_url, path or _inner_path(inner if inner != source_url else None)
    path = _inner_path(source_url) or path
    return (f"{base}/{path}" if path else ""), path


def _content(file: Path, root: Path) -> str | None:
    try:
        inside = file.resolve(strict=True).is_relative_to(root.resolve())
        if not inside or file.is_symlink() or not file.is_file() or file.stat().st_size > LARGEST_SKILL:
            return None
        return UNSTORABLE.sub("\ufffd", file.read_text(encoding="utf-8-sig", errors="replace"))
    except OSError:
        return None


def _inner_path(value: object) -> str | None:
    text = _text(value)
    if text is None or "://" in text or "\\" in text:
        return None
    while text.startswith("./"):
        text = text[2:]
    text = text.strip("/").removesuffix(f"/{SKILL}").strip("/")
    parts = text.split("/")
    return None if text in ("", ".", SKILL) or ".." in parts or "" in parts else text


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return UNSTORABLE.sub("\ufffd", value).strip()[:LONGEST_TEXT] or None


def _by_files(root: Path, url: str, branch: str, discovery: Discovery) -> None:
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        file = Path(place) / SKILL
        if SKILL not in names or file.is_symlink():
            continue
        inner = UNSTORABLE.sub("\ufffd", Path(place).relative_to(root).as_posix())
        address = f"{url}/tree/{branch}/{inner}".removesuffix("/.")
        if len(address) > LONGEST_URL or file.stat().st_size > LARGEST_SKILL:
            discovery.warnings.append(f"{inner}/{SKILL} is too large; it was left out.")
            continue
        content = file.read_text(encoding="utf-8-sig", errors="replace")
        name, description = described(content)
        discovery.skills[address] = Skill(
            source_url=address,
            name=(_text(name) or (url if inner == "." else inner).rpartition("/")[2])[:LONGEST_NAME],
            description=_text(description),
            source=inner,
            metadata={"discovery_mode": "skills_md", "pack_branch": branch, "skill_dir": inner},
            content=UNSTORABLE.sub("\ufffd", content),
        )
