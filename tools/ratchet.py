"""Counts of the program that may only fall: `python -m tools.ratchet` compares them with where the work began.

That is the merge base with `origin/main` (or `main`), or the commit before this one where nothing is new. Both sides
are counted from their source by `tools/counts.py`, so that no stored number can lie or conflict. A count of all rooms
that rose is a fault of the work that raised it; what moves between rooms only must not raise the sum.

`ratchet.json` beside this file holds `additions`: by how much an issue had to raise a count, with its reason.
An addition that stands at the base already is spent.
"""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tools.counts import PROGRAM, TEMPLATES, Counts, counts_of

ROOT = Path(__file__).resolve().parent.parent
FILE = "tools/ratchet.json"
# Each runs the comparison: neither may be left out.
USES = {"Makefile": "-m tools.ratchet", "tests/contract/test_ratchet.py": "main("}
KEYS = {"issue": int, "reason": str, "room": str, "measure": str, "count": int}
LANDING = ("origin/main", "main")
MEND = f"Take out as much as the work adds. What an issue must add stands in {FILE}, with its reason."

type Additions = Counter[tuple[int, str, str]]  # by issue, measure and room


class NoBase(Exception):
    """There is nothing to compare with; says why."""


def git(root: Path, *arguments: str) -> bytes | None:
    """Return what a command of git prints, or None where it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(root), "-c", f"safe.directory={root}", *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=True, env=environment).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


def base_of(root: Path) -> str:
    """Return the commit with which the working tree is compared. Raises NoBase."""
    if not (root / ".git").exists():
        raise NoBase("this is no clone")
    head = _commit(root, "rev-parse", "HEAD")
    if head is None:
        raise NoBase("git does not work here")
    forks = (_commit(root, "merge-base", "HEAD", branch) for branch in LANDING)
    fork = next(filter(None, forks), head)
    if fork != head or git(root, "status", "--porcelain", "--", PROGRAM, TEMPLATES, FILE):
        return fork
    former = _commit(root, "rev-parse", "--verify", "--quiet", "HEAD~1")
    if former is not None:
        return former
    if git(root, "rev-parse", "--is-shallow-repository") == b"true\n":
        raise NoBase("this clone is shallow: run `git fetch --unshallow`")
    raise NoBase("this is the first commit")


def _commit(root: Path, *arguments: str) -> str | None:
    printed = git(root, *arguments)
    return printed.decode().strip() or None if printed else None


def source_at(root: Path, commit: str) -> dict[str, str]:
    """Return path -> text of what a commit has of the program and this tool's file."""
    paths = git(root, "ls-tree", "--name-only", commit, PROGRAM, TEMPLATES, FILE) or b""
    archive = git(root, "archive", "--format=tar", commit, "--", *paths.decode().split()) if paths else None
    if archive is None:
        raise NoBase(f"git does not have the source of {commit}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        return {name: file.read().decode(errors="replace") for name, file in files.items() if file is not None}


def source_here(root: Path) -> dict[str, str]:
    """Return the same of the working tree."""
    paths = [path for top in (PROGRAM, TEMPLATES) for path in (root / top).rglob("*") if path.suffix != ".pyc"]
    paths += [root / FILE]
    return {str(path.relative_to(root)): path.read_text("utf-8", "replace") for path in paths if path.is_file()}


def additions_in(text: str | None) -> tuple[Additions, list[dict[str, object]]]:
    """Return the additions of a file by what they raise, and as they stand there; none of a file that has none."""
    entries = json.loads(text or "{}").get("additions", [])
    sums: Additions = Counter()
    for entry in entries:
        sums[entry["issue"], entry["measure"], entry["room"]] += entry["count"]
    return sums, entries


def faults_of(text: str | None, measures: Counts) -> list[str]:
    """Return what is wrong with the form of the file."""
    if text is None:
        return [f"{FILE} is gone: restore it."]
    stored = json.loads(text)
    if not isinstance(stored, dict) or set(stored) != {"additions"} or not isinstance(stored["additions"], list):
        return [f"{FILE} has other keys than `additions`: counts are not stored, they come from the source."]
    faults = []
    for entry in stored["additions"]:
        if not isinstance(entry, dict) or {key: type(value) for key, value in entry.items()} != KEYS:
            faults.append(f"An addition has other fields than {', '.join(KEYS)}: {entry}.")
        elif not entry["reason"].strip():
            faults.append(f"An addition of issue {entry['issue']} has no reason.")
        elif entry["count"] < 1 or entry["measure"] not in measures:
            faults.append(f"An addition of issue {entry['issue']} raises nothing that is counted: {entry['measure']}.")
    return faults


def rises(before: Counts, now: Counts, credit: Mapping[tuple[str, str], int]) -> list[str]:
    """Return a line for each measure whose sum rose by more than is `credit` by measure and room."""
    lines = []
    for measure, rooms in now.items():
        stood = before.get(measure, {})
        changes = {room: rooms.get(room, 0) - stood.get(room, 0) for room in sorted({*rooms, *stood})}
        allowed = sum(min(credit.get((measure, room), 0), max(change, 0)) for room, change in changes.items())
        if (rise := sum(changes.values()) - allowed) > 0:
            where = ", ".join(f"{room} {change:+}" for room, change in changes.items() if change)
            added = f", {allowed} of it an addition" if allowed else ""
            lines.append(f"{measure} rose by {rise + allowed} to {sum(rooms.values())}{added} ({where})")
    return lines


def compare(root: Path, base: str) -> list[str]:
    """Print what changed since a commit and what is added for a reason; return what is wrong."""
    source, former = source_here(root), source_at(root, base)
    now, before = counts_of(source), counts_of(former)
    print(f"Compared with {base[:10]}:")
    for measure, rooms in now.items():
        total, stood = sum(rooms.values()), sum(before.get(measure, {}).values())
        print(f"{total:7}  {measure}{f' ({total - stood:+})' if total != stood else ''}")
    faults = faults_of(source.get(FILE), now)
    if faults:
        return faults
    (stand, entries), (spent, spent_entries) = additions_in(source[FILE]), additions_in(former.get(FILE))
    for entry in entries:
        if entry not in spent_entries:
            print("Added by issue {issue}: {count} {measure} in {room}: {reason}".format(**entry))
    for measure in now:
        if total := sum(count for (_, added, _), count in stand.items() if added == measure):
            print(f"Additions since the beginning: {total} {measure}")
    lost = [
        f"{FILE}: an addition of issue {issue} ({measure}, {room}) is gone" for issue, measure, room in spent - stand
    ]
    credit: Counter[tuple[str, str]] = Counter()
    for (_, measure, room), count in (stand - spent).items():
        credit[measure, room] += count
    return lost + rises(before, now, credit)


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Return 1 where something rose. A commit as the argument is compared with instead of the base."""
    faults = [
        f"{path} does not run the ratchet: restore it."
        for path, use in USES.items()
        if not (root / path).exists() or use not in (root / path).read_text(encoding="utf-8")
    ]
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        print(f"There is no {' '.join(arguments)}: nothing is stored. {MEND}")
        return 2
    try:
        faults += compare(root, arguments[0] if arguments else base_of(root))
    except NoBase as why:
        print(f"Counts are not compared: {why}.")
        faults += [f"CI compares: {why}"] if "CI" in os.environ and "shallow" in str(why) else []
    print(*faults, *([MEND] if faults else []), sep="\n", end="\n" if faults else "")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
