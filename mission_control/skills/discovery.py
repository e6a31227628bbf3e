"""Find the skills in a cloned repository: by its index, else by its SKILL.md files."""

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mission_control.core.addresses import parts_of
from mission_control.skills.front_matter import described

INDEX = "skills_index.json"
SKILL = "SKILL.md"
LARGEST_INDEX, LARGEST_SKILL = 5_242_880, 262_144
MOST_SKILLS = 2000
LONGEST_NAME, LONGEST_TEXT, LONGEST_URL = 200, 4000, 2000
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class FoundSkill:
    """A skill as a pack describes it."""

    source_url: str
    name: str
    description: str | None
    category: str | None
    risk: str | None
    source: str | None
    metadata: dict[str, Any]
    content: str | None = None


@dataclass(slots=True)
class Discovery:
    """The skills of a pack, each address once, and warnings."""

    skills: dict[str, FoundSkill] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def discover(root: Path, url: str, branch: str) -> Discovery:
    """Return the skills of a pack. A broken index becomes a warning, and the files are searched instead."""
    found = Discovery()
    entries = _index_entries(root / INDEX, found)
    if entries is None:
        _by_files(root, url, branch, found)
    else:
        _by_index(root, entries, url, branch, found)
    if len(found.skills) > MOST_SKILLS:
        found.warnings.append(f"The pack holds {len(found.skills)} skills; the first {MOST_SKILLS} were taken.")
        found.skills = dict(list(found.skills.items())[:MOST_SKILLS])
    return found


def _index_entries(file: Path, found: Discovery) -> list[dict[str, Any]] | None:
    if file.is_symlink() or not file.is_file():
        return None
    try:
        if file.stat().st_size > LARGEST_INDEX:
            raise ValueError("it is too large")
        content = json.loads(file.read_text(encoding="utf-8-sig"))
        entries = content.get("skills") if isinstance(content, dict) else content
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            raise ValueError("it is no list of objects")
    except (ValueError, OSError, RecursionError) as error:
        reason = str(error) if type(error) is ValueError else "it is no JSON"
        found.warnings.append(f"{INDEX} cannot be used: {reason}. {SKILL} files were searched instead.")
        return None
    return entries


def _by_index(root: Path, entries: list[dict[str, Any]], url: str, branch: str, found: Discovery) -> None:
    base = f"{url}/tree/{branch}"
    for number, entry in enumerate(entries, start=1):
        given, path = _text(entry.get("source_url")), _inner_path(entry.get("path"))
        if given and parts_of(given).scheme in ("http", "https"):
            address = given
            path = path or _inner_path(given.removeprefix(f"{base}/") if given.startswith(f"{base}/") else None)
        else:
            path = _inner_path(given) or path
            address = f"{base}/{path}" if path else ""
        if not address or len(address) > LONGEST_URL:
            found.warnings.append(f"Entry {number} of {INDEX} has no usable path or address; it was left out.")
            continue
        metadata = {"discovery_mode": "skills_index", "pack_branch": branch}
        metadata |= {"source_url": given} if given else {}
        metadata |= {"resolved_path": path} if path else {}
        found.skills[address] = FoundSkill(
            source_url=address,
            name=(_text(entry.get("name")) or (path or "").rpartition("/")[2] or "Skill")[:LONGEST_NAME],
            description=_text(entry.get("description")),
            category=_text(entry.get("category")),
            risk=_text(entry.get("risk")),
            source=path,
            metadata=metadata,
            content=_content(root / path / SKILL, root) if path else None,
        )


def _content(file: Path, root: Path) -> str | None:
    """Return the text of a skill that an index names, None when it is not there, too large, or outside."""
    try:
        inside = file.resolve(strict=True).is_relative_to(root.resolve())
        if not inside or file.is_symlink() or not file.is_file() or file.stat().st_size > LARGEST_SKILL:
            return None
        return UNSTORABLE.sub("\ufffd", file.read_text(encoding="utf-8-sig", errors="replace"))
    except OSError:
        return None


def _inner_path(value: Any) -> str | None:
    """Return a path inside the repository without its SKILL.md, None when it is invalid or leads outside."""
    text = _text(value)
    if text is None or "://" in text or "\\" in text:
        return None
    while text.startswith("./"):
        text = text[2:]
    text = text.strip("/").removesuffix(f"/{SKILL}").strip("/")
    parts = text.split("/")
    return None if text in ("", ".", SKILL) or ".." in parts or "" in parts else text


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return UNSTORABLE.sub("\ufffd", value).strip()[:LONGEST_TEXT] or None


def _by_files(root: Path, url: str, branch: str, found: Discovery) -> None:
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        file = Path(place) / SKILL
        if SKILL not in names or file.is_symlink():
            continue
        inner = UNSTORABLE.sub("\ufffd", Path(place).relative_to(root).as_posix())
        address = f"{url}/tree/{branch}" + ("" if inner == "." else f"/{inner}")
        if len(address) > LONGEST_URL or file.stat().st_size > LARGEST_SKILL:
            found.warnings.append(f"{inner}/{SKILL} is too large; it was left out.")
            continue
        content = file.read_text(encoding="utf-8-sig", errors="replace")
        name, description = described(content)
        folder = url.rpartition("/")[2] if inner == "." else inner.rpartition("/")[2]
        found.skills[address] = FoundSkill(
            source_url=address,
            name=(_text(name) or folder)[:LONGEST_NAME],
            description=_text(description),
            category=None,
            risk=None,
            source=inner,
            metadata={"discovery_mode": "skills_md", "pack_branch": branch, "skill_dir": inner},
            content=UNSTORABLE.sub("\ufffd", content),
        )
