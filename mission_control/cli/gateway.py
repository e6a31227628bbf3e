"""`mission-control gateway check URL`: connect to an OpenClaw gateway and say what is missing."""

import asyncio
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mission_control.config import ConfigError, Settings

if TYPE_CHECKING:
    from mission_control.openclaw.connection import Report
    from mission_control.openclaw.handshake import Identity

TOKEN = "OPENCLAW_GATEWAY_TOKEN"
EXIT_CODES = {"ok": 0, "refused": 1, "pairing": 3, "unreachable": 4}
PASSING = (
    "This installation has no identity yet, so a passing one was used: add the gateway in Mission Control, and approve"
    " the request that it then shows."
)


@click.group()
def gateway() -> None:
    """OpenClaw gateways: check one."""


@gateway.command()
@click.argument("url")
@click.option("--token-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Holds the token.")
@click.option("--insecure-tls", is_flag=True, help="Take any certificate.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def check(url: str, token_file: Path | None, insecure_tls: bool, as_json: bool) -> None:
    """Connect to the gateway at URL (ws:// or wss://) and say what is missing and what to do.

    The token is read from --token-file, from OPENCLAW_GATEWAY_TOKEN, or asked for; it is shown nowhere. The exit code
    is 0 when all is well, 1 when the gateway refuses or something is missing, 3 when it waits for a pairing to be
    approved, 4 when it cannot be reached.
    """
    from mission_control.openclaw.connection import check as check_gateway
    from mission_control.openclaw.target import Target, url_problem

    if (problem := url_problem(url)) is not None:
        raise click.UsageError(problem)
    settings = Settings.from_environment()
    identity = _identity()
    target = Target(
        url, token=_token(token_file), allow_insecure_tls=insecure_tls, minimum_version=settings.gateway_min_version
    )
    from mission_control.openclaw.handshake import Identity

    report = asyncio.run(check_gateway(target, identity or Identity.new()))
    if as_json:
        _print_json(report, is_passing=identity is None)
    else:
        _print(target.address, report, is_passing=identity is None)
    sys.exit(EXIT_CODES[report.state] or int(not all(one.is_fine for one in report.findings)))


def _token(file: Path | None) -> str | None:
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"{file} cannot be read: {error}") from None
    if (given := os.environ.get(TOKEN, "").strip()) or not sys.stdin.isatty():
        return given or None
    asked: str = click.prompt("Token of the gateway", hide_input=True, default="", show_default=False, err=True)
    return asked.strip() or None


def _identity() -> "Identity | None":
    """Return this installation's identity; None where its database is not there yet or cannot be read."""
    from mission_control.cli.database import with_database

    async def work(settings: Settings) -> "Identity":
        from mission_control.gateways import installation

        installation.keep_settings(settings)
        return await installation.identity()

    try:
        return with_database(work)
    except ConfigError:
        return None


def _print(address: str, report: "Report", *, is_passing: bool) -> None:
    click.echo(f"Gateway {address}")
    for one in report.findings:
        click.echo(f"{'ok     ' if one.is_fine else 'PROBLEM'}  {one.name}: {one.sentence}")
        if one.remedy:
            click.echo(f"         {one.remedy}")
    if report.state == "pairing":
        click.echo(f"         Device {report.device_id}, request {report.request_id or 'unknown'}.")
    if is_passing:
        click.echo(PASSING, err=True)


def _print_json(report: "Report", *, is_passing: bool) -> None:
    from mission_control.core.json import to_json

    click.echo(to_json(asdict(report) | {"has_passing_identity": is_passing}))


COMMANDS = (gateway,)
