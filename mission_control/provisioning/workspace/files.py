"""The texts of workspace files.

Our own texts are the templates in `templates/workspace/`. Texts of people and agents are values: they are inserted as
they are and never compiled. A file that the gateway does not accept is folded into AGENTS.md.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mission_control.boards.schemas import RULES
from mission_control.paths import data_dir
from mission_control.provisioning.workspace.facts import BoardFacts, PersonFacts, WorkspaceFacts
from mission_control.provisioning.workspace.fitting import Passage, cut, fitted, one_line, size

FOLDED = ("TOOLS.md", "IDENTITY.md")
FILES = ("AGENTS.md", "SOUL.md", "USER.md", "BOOTSTRAP.md", "MEMORY.md", *FOLDED, "HEARTBEAT.md")
# In UTF-16 units. A gateway shows an agent 20,000 of a file, 4,000 of USER.md, and 60,000 of all files together.
LONGEST = 20_000
LIMITS = {"USER.md": 4_000, "MEMORY.md": 12_000, "BOOTSTRAP.md": 2_000}
PROFILE_ORDER = (
    "purpose", "personality", "communication_style", "emoji", "autonomy_level", "verbosity", "output_format",
    "update_cadence", "custom_instructions",
)  # fmt: skip
PASSAGES = (
    "identity_template", "identity_profile", "objective", "success_metrics", "description", "notes", "context",
)  # fmt: skip
ROLES = {"worker": "Generalist", "lead": "Board lead", "main": "Main agent of the gateway"}
BOARD = "`./mc GET /api/v1/agent/boards/{board_id}`, field `%s`"
AGENT = "`./mc GET '/api/v1/agent/agents?limit=200'`, the item with your id, field `%s`"
PERSON = "Ask what you need to know with `POST /api/v1/agent/boards/{board_id}/questions`"


def workspace_files(facts: WorkspaceFacts, *, names: Sequence[str]) -> dict[str, str]:
    """Return the text of each file, of those that the gateway accepts; the caller decides which ones it writes."""
    known = [name for name in FILES if name in names]
    folded = frozenset(FOLDED) - set(known)
    details: dict[str, Passage] = {}
    files = {name: _file(facts, name, folded, details) for name in known if name != "MEMORY.md"}
    if "MEMORY.md" in known:
        files["MEMORY.md"] = _memory(facts, folded, details)
    return files


def _file(facts: WorkspaceFacts, name: str, folded: frozenset[str], details: dict[str, Passage]) -> str:
    """Return the text of a file. Passages that it had to cut are added to `details`."""
    if name == "SOUL.md" and facts.soul:
        # What the API takes fits, and agents and people read it back from this file: it stays as it is. Only a soul
        # from a public directory can be longer.
        whole = Passage("", facts.soul, "ask the person who chose this soul")
        return facts.soul if len(facts.soul) <= LONGEST else cut(whole, LONGEST)
    passages = _passages_of(facts, name, folded)
    render = functools.partial(_rendered, facts, name, folded)
    marks = dict.fromkeys(passages, "-")
    free = LIMITS.get(name, LONGEST) - size(render(marks)) + len(marks)
    texts = fitted(passages, free)
    details |= {key: one for key, one in passages.items() if texts[key] != one.text}
    return render(texts)


def _memory(facts: WorkspaceFacts, folded: frozenset[str], details: Mapping[str, Passage]) -> str:
    """Return the text of MEMORY.md, with what other files had no place for."""

    def render(texts: Mapping[str, str]) -> str:
        titled = [(details[key].title, text) for key, text in texts.items()]
        return _rendered(facts, "MEMORY.md", folded, {}, details=titled)

    free = LIMITS["MEMORY.md"] - size(render(dict.fromkeys(details, "-"))) + len(details)
    return render(fitted(details, free))


def _passages_of(facts: WorkspaceFacts, name: str, folded: frozenset[str]) -> dict[str, Passage]:
    found: dict[str, Passage] = {}
    if name == "IDENTITY.md" or (name == "AGENTS.md" and "IDENTITY.md" in folded):
        found |= _identity(facts)
    if name == "AGENTS.md" and facts.board is not None:
        found |= _board(facts.board)
    if name == "USER.md" and facts.person is not None:
        found |= _person(facts.person)
    return {key: one for key, one in found.items() if one.text.strip()}


def _identity(facts: WorkspaceFacts) -> dict[str, Passage]:
    if facts.identity_template:
        return {"identity_template": Passage("Identity", facts.identity_template, AGENT % "identity_template")}
    profile = {key: text for key, text in facts.identity_profile.items() if key != "role"}
    first = [key for key in PROFILE_ORDER if key in profile]
    lines = [f"- {_label(key)}: {profile[key]}" for key in (*first, *(key for key in profile if key not in first))]
    return {"identity_profile": Passage("Identity", "\n".join(lines), AGENT % "identity_profile")}


def _label(key: str) -> str:
    return one_line(key).replace("_", " ").capitalize()


def _board(board: BoardFacts) -> dict[str, Passage]:
    return {
        "objective": Passage("Goal of the board", board.objective, BOARD % "objective"),
        "success_metrics": Passage("Measures of success", board.success_metrics, BOARD % "success_metrics"),
        "description": Passage("Description of the board", board.description, BOARD % "description"),
    }


def _person(person: PersonFacts) -> dict[str, Passage]:
    return {"notes": Passage("Notes", person.notes, PERSON), "context": Passage("Context", person.context, PERSON)}


def _rendered(facts: WorkspaceFacts, name: str, folded: frozenset[str], long: Mapping[str, str], **more: Any) -> str:
    """Return a file with these passages in it; those that are missing are empty."""
    values = dict.fromkeys(PASSAGES, "")
    text = _template(name).render(facts=facts, folded=folded, long=values | dict(long), **_lines(facts, folded), **more)
    return f"{text.strip()}\n"


def _lines(facts: WorkspaceFacts, folded: frozenset[str]) -> dict[str, Any]:
    """Return what stands in one line each, so that no text of a person can pass for a line of ours."""
    board, person = facts.board, facts.person
    return {
        "base_url": facts.base_url.rstrip("/"),
        "token": facts.token,
        "name": one_line(facts.name),
        "role_name": one_line(facts.identity_profile.get("role", "") or ROLES[facts.role]),
        "workspace_root": one_line(facts.workspace_root),
        "workspace_path": one_line(facts.workspace_path),
        "tools_file": "AGENTS.md" if "TOOLS.md" in folded else "TOOLS.md",
        "board": board,
        "board_name": one_line(board.name) if board else "",
        "board_type": one_line(board.board_type) if board else "",
        "rules": dict.fromkeys(RULES, False) | dict(board.rules if board else {}),
        "person": person,
        "person_name": one_line(person.name) if person else "",
        "person_called": one_line(person.preferred_name or person.name) if person else "",
        "pronouns": one_line(person.pronouns) if person else "",
        "timezone": one_line(person.timezone) if person else "",
    }


@functools.cache
def _template(name: str) -> Any:
    return _environment().get_template(name)


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(data_dir("templates") / "workspace"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
