"""Which files of a workspace are written, and which belong to the agent."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from mission_control.provisioning.workspace.facts import Role

OWN = ("USER.md", "MEMORY.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How a workspace is written: for the first time or again, and what is forced."""

    role: Role
    is_update: bool
    overwrite: bool = False
    force_bootstrap: bool = False


def written(names: Iterable[str], writing: Writing, *, existing: Collection[str]) -> tuple[str, ...]:
    """Return the files to write, in order. `existing` are those which the gateway lists and does not call missing."""
    return tuple(_written(names, writing, existing))


def _written(names: Iterable[str], writing: Writing, existing: Collection[str]) -> Iterator[str]:
    for name in names:
        if name == "BOOTSTRAP.md":
            # An agent deletes it once it has started; while it is there, it must be up to date.
            if writing.force_bootstrap or not writing.is_update or name in existing:
                yield name
        elif name not in OWN or not _is_kept(name, writing, existing):
            yield name


def _is_kept(name: str, writing: Writing, existing: Collection[str]) -> bool:
    """Return whether the agent's own text stays. A main agent's USER.md follows the person it works for."""
    if not writing.is_update or writing.overwrite or name not in existing:
        return False
    return not (name == "USER.md" and writing.role == "main")
