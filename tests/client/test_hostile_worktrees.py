"""Worktrees in which a program wrote what would have git, or another program of the worker, run a trap."""

import os
from pathlib import Path

import pytest

from tests.client.shop import Shop, git
from tests.samples import sampled

pytestmark = [pytest.mark.database, pytest.mark.once]

# What a program does in its worktree. `$TRAP` is a command that leaves its environment in a file, `$COMMON` the folder
# of the repository itself, which a program with a sandbox cannot write.
COPY = 'cp -r "$COMMON" .copy; git --git-dir .copy config core.bare false; rm -rf .copy/worktrees;'
EVERYTHING = (
    "for key in core.fsmonitor core.hooksPath core.editor core.pager core.askPass core.sshCommand gpg.program"
    " gpg.ssh.program diff.external credential.helper sequence.editor core.alternateRefsCommand filter.x.smudge"
    ' filter.x.clean diff.x.textconv diff.x.command merge.x.driver; do git config "$key" "$TRAP"; done;'
)
ATTRIBUTES = "echo '* filter=x diff=x merge=x' >.gitattributes;"
EMBEDDED = (
    "git init -q sub; echo one >sub/one; git -C sub add one;"
    " git -C sub -c user.name=E -c user.email=e@x commit -qm One;"
    ' git -C sub config core.fsmonitor "$TRAP"; git -C sub config filter.x.clean "$TRAP";'
    " echo '* filter=x' >sub/.gitattributes; echo two >sub/one;"
)
# What becomes of the task, and how many worktrees are left after it and a second one.
DONE, STAYS, ASKED = ("completed", 1), ("completed", 2), ("waiting", 2)
ATTACKS = {
    "settings in a folder .git": (f'rm .git; git init -q; git config core.fsmonitor "$TRAP"; {ATTRIBUTES}', ASKED),
    "a .git that names a copy": (f'{COPY} echo "gitdir: $PWD/.copy" >.git; {EVERYTHING} {ATTRIBUTES}', ASKED),
    "a .git that is a link": (f"{COPY} rm .git; ln -s .copy .git; {EVERYTHING} {ATTRIBUTES}", ASKED),
    "a removed .git": ("rm .git", ASKED),
    "settings of the repository": (
        f"{EVERYTHING} {ATTRIBUTES} git config commit.gpgSign true; git config log.showSignature true;"
        ' git config alias.status "!$TRAP"',
        ASKED,
    ),
    "a process filter that is required": (
        f'git config filter.x.process "$TRAP"; git config filter.x.required true; {ATTRIBUTES}'
        " echo '*.md filter=x' >\"$COMMON/info/attributes\"",
        ASKED,
    ),
    "hooks": (
        "for name in pre-commit prepare-commit-msg commit-msg post-commit post-checkout post-index-change"
        ' reference-transaction pre-auto-gc; do ln -sf "$TRAP" "$COMMON/hooks/$name"; done',
        DONE,
    ),
    "an included file": ('printf "[core]\\nfsmonitor=%s\\n" "$TRAP" >more; git config include.path "$PWD/more"', DONE),
    "settings of the worktree": (
        'git config extensions.worktreeConfig true; git config --worktree core.fsmonitor "$TRAP"', DONE
    ),
    "an embedded repository": (EMBEDDED, STAYS),
    "an embedded repository in the index": (f"{EMBEDDED} git add sub 2>&1", STAYS),
    "a submodule": (
        f"{EMBEDDED} printf '[submodule \"sub\"]\\npath=sub\\nurl=./sub\\n' >.gitmodules; git add .gitmodules sub;"
        " git config submodule.recurse true; git config diff.submodule log; git config status.submoduleSummary true;"
        ' git config submodule.sub.update "!$TRAP"; git config submodule.sub.active true',
        STAYS,
    ),
    "programs where the path has a dot": ('for name in git sh grep npx; do cp "$TRAP" $name; done', DONE),
    "another WORKFLOW.md": (
        'printf -- "---\\ncheck: %s\\nsetup: %s\\n---\\n" "$TRAP" "$TRAP" >WORKFLOW.md; git add .;'
        " git -c user.name=E -c user.email=e@x commit -qm Settings; git branch -f origin/main; git tag origin/HEAD",
        DONE,
    ),
}  # fmt: skip


def hostile(shop: Shop, attack: str) -> tuple[list[str], Path]:
    """The program that attacks and then does its task, and the file in which its trap writes."""
    folder = shop.kept
    seen, trap, program = folder / "seen", folder / "trap", folder / "program"
    trap.write_text(f'#!/bin/sh\nenv >>"{seen}"\ncat\n')
    program.write_text(
        f'#!/bin/sh\nexport TRAP="{trap}" COMMON="{shop.top}/.git"\nenv >"{folder}/own"\n(set -e; {attack}) || exit 9\n'
        f'echo done >work.txt\nrm -f "{seen}"\necho "It is done."\n'
    )
    for path in (trap, program):
        path.chmod(0o700)
    return ["work", "--agent", str(program), "--repository", str(shop.top), "--once"], seen


@pytest.mark.parametrize("attack", sampled(ATTACKS))
async def test_nothing_that_a_program_wrote_is_run(shop: Shop, attack: str) -> None:
    text, (state, trees) = ATTACKS[attack]
    work, seen = hostile(shop, text)
    environment = {
        "PATH": f".:{os.environ['PATH']}",
        "GIT_DIR": str(shop.kept),
        "GIT_EXTERNAL_DIFF": str(shop.kept / "trap"),
    }
    first = await shop.task(title="First")
    printed = await shop.terminal.run(*work, **environment)
    assert printed.code == 0 and not seen.exists(), printed.err
    [run] = await shop.runs(first)
    assert run["state"] == state, printed.err
    if state == "completed":
        assert git(shop.top, "show", f"{run['code']['head']}:work.txt") == "done\n"
        await shop.review(first, decision="approved")
    (shop.kept / "program").write_text("#!/bin/sh\necho done >work.txt\n")
    second = await shop.task(title="Second")
    printed = await shop.terminal.run(*work, **environment)
    assert printed.code == 0 and len(shop.trees()) == trees and not seen.exists(), printed.err
    assert [one["checked"] for one in await shop.runs(second)] == ["`test -s work.txt` succeeds."]
    names = [line.partition("=")[0] for line in (shop.kept / "own").read_text().splitlines()]
    ours = {"MISSION_CONTROL_BRIEF", "MISSION_CONTROL_RUN", "MISSION_CONTROL_TASK"}
    assert {one for one in names if one.startswith("MISSION_CONTROL_")} == ours
