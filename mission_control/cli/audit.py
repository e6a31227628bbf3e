"""`mission-control audit`: verify that nothing was changed or removed in the logs."""

import sys
from typing import TYPE_CHECKING, TextIO

import click

from mission_control.cli.database import with_database
from mission_control.config import ConfigError, Settings

if TYPE_CHECKING:
    from mission_control.audit import LogHead

FAULT, UNDECIDED = 1, 2
ANOTHER_KEY = (
    "was signed with another SECRET_KEY than the present one; what the signature proves is not known."
    " That is no sign of tampering when the key was changed on purpose."
)


@click.group()
def audit() -> None:
    """The event logs of organizations and the account log."""


@audit.command("head")
def head() -> None:
    """Print the newest number of every log, its hash and its signature, one JSON object a line.

    Keep them out of reach of anyone who can write to the database: `audit verify --against FILE` checks them.
    """
    sys.exit(with_database(_print_heads))


async def _print_heads(settings: Settings) -> int:
    from mission_control.audit import heads
    from mission_control.live.signatures import Verdict

    code = 0
    for one in await heads():
        if one.verdict is Verdict.VALID:
            click.echo(one.line())
        else:
            click.echo(
                f"{one.name} ({one.log}): the head is not genuine; run `mission-control audit verify`.", err=True
            )
            code = FAULT
    return code


@audit.command("verify")
@click.option("--against", type=click.File(encoding="utf-8"), help="Lines that `audit head` printed earlier.")
def verify(against: TextIO | None) -> None:
    """Verify every log. Exit code 1: a fault; 2: a signature could not be checked."""
    kept = _read(against) if against else []

    async def work(settings: Settings) -> int:
        known = await _check_key(settings)
        codes = [known, await _walk(), await _compare(kept)]
        if known == 0:
            codes.append(await _check_signers(kept))
        return FAULT if FAULT in codes else max(codes)

    sys.exit(with_database(work, with_its_key=False))


async def _check_key(settings: Settings) -> int:
    from mission_control.audit import open_logs

    try:
        await open_logs(settings)
    except ConfigError as error:
        click.echo(f"{error} Signatures were not checked.", err=True)
        return UNDECIDED
    return 0


def _read(file: TextIO) -> list[tuple[str, "LogHead"]]:
    from mission_control.audit import LogHead

    found = []
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                found.append((f"{file.name}, line {number}", LogHead.parse(line)))
            except ValueError:
                raise click.ClickException(
                    f"{file.name}, line {number} is not a head as `audit head` prints it."
                ) from None
    if not found:
        raise click.ClickException(f"{file.name} holds no heads.")
    return found


async def _walk() -> int:
    from mission_control.audit import verify_all

    code = 0
    for name, count, fault in await verify_all():
        if fault is not None:
            click.echo(f"{name}: {fault}", err=True)
            code = FAULT
        else:
            word = ("entry" if count == 1 else "entries") if name == "Accounts" else f"event{'' if count == 1 else 's'}"
            click.echo(f"{name}: {count} {word}, all as written.")
    return code


async def _compare(kept: list[tuple[str, "LogHead"]]) -> int:
    from mission_control.audit import fault_against

    faults = [f"{where}, {one.name}: {fault}" for where, one in kept if (fault := await fault_against(one))]
    for fault in faults:
        click.echo(fault, err=True)
    if kept and not faults:
        click.echo(f"{len(kept)} head{'' if len(kept) == 1 else 's'} kept elsewhere, all still in the logs.")
    return FAULT if faults else 0


async def _check_signers(kept: list[tuple[str, "LogHead"]]) -> int:
    from mission_control.audit import heads
    from mission_control.live.signatures import Verdict

    everywhere = [(f"{one.name} ({one.log})", one) for one in await heads()] + kept
    others = [(where, one.seq) for where, one in everywhere if one.verdict is Verdict.OTHER_KEY]
    for where, seq in others:
        click.echo(f"{where}: the head at number {seq} {ANOTHER_KEY}", err=True)
    return UNDECIDED if others else 0


@audit.command("sign")
@click.confirmation_option(prompt="Have the present state of the logs signed, whatever was done to them?")
def sign() -> None:
    """Sign heads with an invalid signature as they are, after investigating the fault. The account log records it."""

    async def work(settings: Settings) -> None:
        from mission_control.audit import heads, sign_again
        from mission_control.live.signatures import Verdict

        faulty = [one for one in await heads() if one.verdict is not Verdict.VALID]
        await sign_again(faulty)
        for one in faulty:
            click.echo(f"{one.name} ({one.log}): signed at number {one.seq}.")

    with_database(work)


COMMANDS = [audit]
