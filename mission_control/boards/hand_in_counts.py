"""What was counted of handed-in work that people decide about: its change, the checks of it, its criteria, its cost.

Every surface shows these facts, before the words of the agent.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from mission_control.boards.forge_states import Facts, ForgeReport, HandedIn, HandIn, handed_in, is_same_commit
from mission_control.core.amounts import MICROS, spent
from mission_control.core.substance import Parts
from mission_control.core.text.diffs import lines_changed
from mission_control.database.sql import Row, in_list, rows
from mission_control.needs.schemas import NeedFact
from mission_control.needs.wording import fact

# SQL on the task `t`: how many criteria it has, and how many of them are met.
CRITERIA = (
    "(SELECT COUNT(*) FROM task_checklist_items i WHERE i.task_id = t.id AND i.is_criterion) AS criteria,"
    " (SELECT COUNT(*) FROM task_checklist_items i WHERE i.task_id = t.id AND i.is_criterion AND i.is_done) AS met"
)
_SELECT = (
    "SELECT t.id, t.board_id, r.code, r.ended_at, r.summary, r.checked, r.input_tokens, r.output_tokens,"
    f" r.unpriced_tokens, r.gaps, r.cost_micros, {CRITERIA} FROM tasks t"
    " LEFT JOIN task_runs r ON r.task_id = t.id AND r.fence = t.fence WHERE t.id IN "
)


class Counted(NamedTuple):
    """The facts of the last hand-in of a task, its branch, and where its change can be read, if there is one."""

    facts: Sequence[NeedFact] = ()
    branch: Sequence[NeedFact] = ()
    diff_url: str | None = None
    is_unchanged: bool = False

    @property
    def is_failing(self) -> bool:
        return any(fact.tone == "bad" for fact in self.facts)

    @property
    def is_fine(self) -> bool:
        return not any(fact.tone in ("warn", "bad") for fact in self.facts)

    def approving(self, effect: str) -> tuple[str, str]:
        """Label the answer, and say what it does."""
        if self.is_failing:
            return "Approve anyway", f"Despite the failing check: {effect}"
        return ("Close as done", f"Accepts the reason. {effect}") if self.is_unchanged else ("Approve", effect)

    def reason(self, words: str) -> str:
        return f"Reason given: {words}" if self.is_unchanged and words else words

    def in_order[T](self, approve: T, send_back: T) -> list[T]:
        return [send_back, approve] if self.is_failing else [approve, send_back]


NOTHING = Counted()


async def counted_of(task_ids: Sequence[UUID]) -> dict[UUID, Counted]:
    if not task_ids:
        return {}
    listed, ids = in_list(task_ids)
    runs = await rows(f"{_SELECT}({listed})", *ids)
    handed = [HandIn(row["board_id"], row["code"], row["ended_at"]) for row in runs]
    return {
        UUID(str(row["id"])): _counted(row, code.facts, state)
        for row, code, state in zip(runs, handed, await handed_in(handed), strict=True)
    }


def _counted(row: Row, code: Facts, state: HandedIn) -> Counted:
    is_unchanged = _is_unchanged(code)
    facts = [*_change(code, state, is_unchanged=is_unchanged), *_checks(row, code, state)]
    if met := criteria_met(row):
        facts.append(fact("list-checks", met))
    tokens = (row["input_tokens"] or 0) + (row["output_tokens"] or 0)
    money = spent((row["cost_micros"] or 0) / MICROS, tokens, row["unpriced_tokens"] or 0, row["gaps"] or 0)
    facts += [fact("gauge", amount) for amount in money]
    facts.sort(key=lambda item: item.tone != "bad")
    url = f"/boards/{row['board_id']}/tasks/{row['id']}/diff" if code.get("diff_id") else None
    return Counted(counted(facts), list(_branch(code)), url, is_unchanged)


def _is_unchanged(code: Facts) -> bool:
    is_same = bool(code.get("head")) and code["head"] == code.get("base")
    return (is_same or code.get("files") == 0) and not code.get("diff_id")


async def missing_for_done(needs: Sequence[str], task_id: UUID, words: str) -> dict[str, str]:
    """Say what the work on a task still needs, by the name of the need; `words` come with the hand-in."""
    [row] = await rows(f"{_SELECT}(?)", task_id)
    handed = HandIn(row["board_id"], row["code"], row["ended_at"])
    [state] = await handed_in([handed])
    missing = {
        "result": _no_result(handed.facts, f"{words}{row['summary'] or ''}"),
        "check": _no_green([*_checks(row, handed.facts, state)]),
        "criteria": "" if row["met"] == row["criteria"] else f"all criteria ({row['met']} of {row['criteria']} met)",
    }
    return {need: missing[need] for need in needs if missing[need]}


def _no_result(code: Facts, words: str) -> str:
    is_there = says_something(words) or changes_something(code)
    return "" if is_there else "a change or a written reason (nothing was changed, and nothing is said)"


def _no_green(checks: list[NeedFact]) -> str:
    checks.sort(key=lambda item: ["bad", "ok"].index(item.tone) if item.tone in ("bad", "ok") else 2)
    why = checks[0].text if checks else "No check ran"
    is_green = bool(checks) and checks[0].tone == "ok"
    return "" if is_green else f"a check that passes on the handed-in commit ({why[:1].lower()}{why[1:]})"


def says_something(words: str) -> bool:
    return any(character.isalnum() for character in words)


def changes_something(code: Facts) -> bool:
    return bool(code.get("pull_request") or code.get("head") or code.get("files")) and not _is_unchanged(code)


def criteria_met(row: Row) -> str:
    return f"{int(row['met'])} of {int(row['criteria'])} criteria" if row["criteria"] else ""


def counted(facts: Sequence[NeedFact]) -> list[NeedFact]:
    return [item.model_copy(update={"is_counted": True}) for item in facts]


def _branch(code: Facts) -> Iterator[NeedFact]:
    if count := len(code.get("commits") or ()):
        commits = f"{count} {'commit' if count == 1 else 'commits'}"
        yield fact("git-branch", ", ".join(filter(None, (code.get("branch"), commits))))


def _change(code: Facts, state: HandedIn, *, is_unchanged: bool) -> Iterator[NeedFact]:
    if is_unchanged:
        yield fact("triangle-alert", "Nothing was changed", "warn")
    elif code.get("files"):
        yield fact("file-diff", lines_changed(code["files"], code["added"] or 0, code["removed"] or 0))
    if state.pushed:
        yield fact("triangle-alert", state.change, "warn")


def _checks(row: Row, code: Facts, state: HandedIn) -> Iterator[NeedFact]:
    head, report, check = code.get("head") or "", state.report, code.get("check")
    at = f" on {head[:7]}" if head else ""
    if check:
        yield _checked(check, head)
    if report is not None and report.sentence:
        yield _reported(report, state, head, at)
    if head and not (check or (report and report.checks) or row["checked"] or code.get("tests_id")):
        yield fact("circle-dashed", "No check ran")


def _checked(check: Facts, head: str) -> NeedFact:
    commit = check.get("commit") or ""
    at = f" on {commit[:7]}" if commit else ""
    if exit_code := check["exit_code"]:
        return fact("circle-x", f"Check failed{at}, exit code {exit_code}", "bad")
    if commit and not is_same_commit(commit, head):
        return fact("triangle-alert", f"Check passed{at}, not on what was handed in", "warn")
    return (
        fact("circle-check", f"Check passed{at}", "ok")
        if commit
        else fact("circle-dashed", "Check passed, commit unknown")
    )


def _reported(report: ForgeReport, state: HandedIn, head: str, at: str) -> NeedFact:
    is_green = report.checks == "passed" and report.head and head and is_same_commit(report.head, head)
    tone = "" if state.pushed else state.tone or ("ok" if is_green else "")
    words = report.sentence[:1].upper() + report.sentence[1:]
    icon = {"ok": "circle-check", "bad": "circle-x"}.get(tone, "git-branch")
    return fact(icon, f"{words}{at}" if report.checks and tone in ("ok", "bad") else words, tone, report.url)


def parts_of_code(code: Facts, state: HandedIn) -> Parts:
    parts = {name: code.get(name) for name in ("head", "diff_sha256")}
    if state.pushed:
        parts["pushed"] = state.pushed
    if check := code.get("check"):
        parts["check"] = check
    if state.report and state.report.checks == "failed":
        parts["checks"] = "failed"
    return parts
