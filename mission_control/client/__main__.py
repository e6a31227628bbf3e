"""The commands, each with its arguments. What a command needs is imported when it runs."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from mission_control import __version__
from mission_control.client import printing, problems
from mission_control.client.problems import Problem, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FOREVER = float("inf")


def program_keys() -> list[str]:
    from mission_control.client.program import keys

    return keys()


def _task(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", metavar="TASK", help="its number, such as 12 or #12; left out, the one that you hold")


def _text(parser: argparse.ArgumentParser, name: str, says: str) -> None:
    parser.add_argument("text", nargs="?", metavar=name, help=f"{says}; - reads it from standard input")
    parser.add_argument("--file", metavar="FILE", help="read it from a file")


def _usage(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--input-tokens", type=int, metavar="N", help="tokens that the model read, as its program counted"
    )
    parser.add_argument("--output-tokens", type=int, metavar="N", help="tokens that the model wrote")
    parser.add_argument("--cost-usd", type=float, metavar="USD", help="what they cost, in US dollars")
    parser.add_argument("--model", metavar="NAME", help="the name of the language model")


def _lease(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--lease", type=int, default=3600, metavar="SECONDS", help="how long the task is yours; 3600 if left out"
    )


def _until(parser: argparse.ArgumentParser, says: str) -> None:
    parser.add_argument("--wait", nargs="?", type=float, const=FOREVER, metavar="SECONDS", help=says)


def _claim(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", nargs="?", metavar="TASK", help="this task and no other; one you hold: its lease again")
    _until(parser, "wait until there is work, or so long")
    parser.add_argument("--tag", action="append", metavar="TAG", help="only tasks with any of these tags")
    parser.add_argument("--another", action="store_true", help="one more, beside what you hold")
    _lease(parser)


def _show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", nargs="?", metavar="TASK", help="its number; left out, the one that you hold")


def _comment(parser: argparse.ArgumentParser) -> None:
    _text(parser, "TEXT", "Markdown; @Name notifies, @lead too")
    _task(parser)


def _ask(parser: argparse.ArgumentParser) -> None:
    _text(parser, "TEXT", "what you ask, or why you want to do it, with all that one must know")
    parser.add_argument(
        "--approve", metavar="ACTION", help="ask for a yes to this action, such as deploy; left out, it is a question"
    )
    parser.add_argument(
        "--option", action="append", default=[], metavar="'LABEL: OUTCOME'", help="an answer to choose from; up to six"
    )
    parser.add_argument("--recommend", type=int, metavar="N", help="the option that you would choose, from 1")
    parser.add_argument("--confidence", type=float, metavar="PERCENT", help="with --approve: how sure you are of it")
    parser.add_argument("--within", type=int, metavar="SECONDS", help="when you need the answer")
    parser.add_argument(
        "--otherwise", metavar="WHAT", help="what happens then: remind, send_back, or an option's number"
    )
    parser.add_argument("--park", action="store_true", help="let the task wait without a lease: you are free")
    _until(parser, "wait for the answer, or so long")
    _task(parser)


def _wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("seconds", nargs="?", type=float, metavar="SECONDS", help="at most so long")
    _lease(parser)


def _finish(parser: argparse.ArgumentParser) -> None:
    _text(parser, "SUMMARY", "what you did and found, and what not")
    parser.add_argument("--checked", metavar="TEXT", help="what you checked, against which criterion, and how")
    parser.add_argument("--evidence", action="append", metavar="[TITLE=]URL", help="a link that shows it; any number")
    parser.add_argument("--attach", action="append", metavar="FILE", help="a small file that the work made; any number")
    parser.add_argument(
        "--code",
        nargs="?",
        const="",
        metavar="BASE",
        help="what you committed here since BASE: commits and diff; left out, since the main branch of origin",
    )
    parser.add_argument(
        "--check", metavar="COMMAND", help="with --code: run this, and say how it ended on which commit"
    )
    parser.add_argument("--tests", metavar="FILE", help="what the tests printed; - reads it from standard input")
    parser.add_argument("--pull-request", metavar="URL", help="the pull or merge request")
    parser.add_argument("--confidence", type=float, metavar="PERCENT", help="how sure you are that it is finished")
    _usage(parser)
    _task(parser)


def _give_back(parser: argparse.ArgumentParser) -> None:
    _text(parser, "REASON", "what the next one should know")
    _task(parser)


def _propose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("title", metavar="TITLE", help="the work that you found, in one line")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why somebody should do it")
    parser.add_argument("--description", metavar="TEXT", help="more about it, in Markdown")
    parser.add_argument("--priority", metavar="LEVEL", help="low, medium, high or critical")
    _task(parser)


def _note(parser: argparse.ArgumentParser) -> None:
    _text(parser, "TEXT", "a fact that outlives the task")
    parser.add_argument("--tag", action="append", metavar="TAG", help="such as decision; chat says it to all instead")


def _report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("did", nargs="*", metavar="TEXT", help="what you did, a plain line each")
    parser.add_argument("--doing", metavar="TEXT", help="what you begin now")
    parser.add_argument("--failed", action="store_true", help="what you did failed")
    parser.add_argument(
        "--plan",
        action="append",
        metavar="STEP",
        help="your whole plan: '[x] done', '[>] at work', 'to do'; any number",
    )
    _usage(parser)
    _task(parser)


def _call(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("method", metavar="METHOD", help=", ".join(METHODS))
    parser.add_argument(
        "path", metavar="PATH", help="such as /api/v1/agent/healthz; {board_id} and {task_id} are filled in"
    )
    parser.add_argument("body", nargs="?", metavar="JSON", help="what is sent; - reads it from standard input")
    parser.add_argument("--pick", metavar="FIELDS", help="print only these fields of each item, such as id,author.name")


def _sign_in(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", nargs="?", metavar="URL", help="the address of the server")
    parser.add_argument(
        "--client", choices=[*program_keys(), "other"], default="other", help="the program that works as the agent"
    )
    parser.add_argument("--board", metavar="BOARD", help="on this board, by its name or id, if the person may")
    parser.add_argument("--agent", metavar="NAME", help="as this agent, if the person may")
    parser.add_argument(
        "--with-token", action="store_true", help="with a token of an agent, typed or from standard input"
    )
    parser.add_argument(
        "--allow-http", action="store_true", help="also without encryption, on a network that you trust"
    )


def _program(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("client", metavar="PROGRAM", choices=program_keys(), help=" or ".join(program_keys()))


def _connect(parser: argparse.ArgumentParser) -> None:
    _program(parser)
    parser.add_argument("url", nargs="?", metavar="URL", help="the address of the server")
    parser.add_argument("--board", metavar="BOARD", help="on this board, by its name or id, if the person may")
    parser.add_argument("--agent", metavar="NAME", help="as this agent, if the person may")
    parser.add_argument("--check", action="store_true", help="change nothing: try all of it, without a model")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    parser.add_argument("--yes", action="store_true", help="agree to what is shown, for scripts")
    parser.add_argument("--ask", action="store_true", help="have Claude Code or opencode ask people before it acts")
    parser.add_argument(
        "--must",
        action="append",
        default=[],
        metavar="PATTERN",
        help="hold calls such as 'Bash(git push *)' until somebody says yes on the board, as its rules may want anyhow",
    )
    parser.add_argument(
        "--token-by-environment", action="store_true", help="keep the token out of its settings: the shell sets it"
    )
    parser.add_argument(
        "--allow-http", action="store_true", help="also without encryption, on a network that you trust"
    )


class _Agents(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        from mission_control.client.work.agents import listing

        print(listing())
        parser.exit()


def _work(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--board", metavar="BOARD", help="the board that you are signed in for, to be sure")
    programs = f"{', '.join(program_keys())}, another that --agents lists, or any command in quotes"
    parser.add_argument("--agent", default="claude", metavar="PROGRAM", help=programs)
    parser.add_argument("--agents", action=_Agents, nargs=0, help="list the programs that it knows by name")
    parser.add_argument("--acp", action="store_true", help="the command speaks the Agent Client Protocol")
    parser.add_argument("--repository", default=".", metavar="FOLDER", help="left out: the one where you are")
    parser.add_argument("--tag", action="append", metavar="TAG", help="only tasks with any of these tags")
    parser.add_argument("--at-most", type=int, default=1, metavar="N", help="so many tasks at once; 1 if left out")
    parser.add_argument("--budget", type=float, metavar="USD", help="ask people when a task costs more, if it is told")
    parser.add_argument("--time", type=float, metavar="MINUTES", help="ask people when a task takes longer")
    parser.add_argument("--once", action="store_true", help="do what is there now, one task, and end")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and claim nothing")
    parser.add_argument("--tools", action="store_true", help="let the program use the board's tools too")
    parser.add_argument("--install", action="store_true", help="have the system start it, by systemd or launchd")
    parser.add_argument(
        "--lease", type=int, default=900, metavar="SECONDS", help="how long a task is yours without a sign; 900"
    )


def _update(parser: argparse.ArgumentParser) -> None:
    switch = parser.add_mutually_exclusive_group()
    switch.add_argument("--off", action="store_true", help="never let a server replace it unless you say `update`")
    switch.add_argument("--on", action="store_true", help="let the server that it came from replace it by a newer one")


def _nothing(parser: argparse.ArgumentParser) -> None:
    pass


WORK, CALLS, SIGNING, UPDATE, CONNECT, WORKER = "tasks", "calls", "signing", "update", "connect", "work.loop"
# The name, its module, its arguments, what it does.
COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None], str]] = {
    "claim": (WORK, _claim, "take the next task, and read all that is known about it"),
    "show": (WORK, _show, "read a task with its comments, files and attempts, and what it waits for"),
    "comment": (WORK, _comment, "comment on a task"),
    "ask": (WORK, _ask, "ask people a question, or for a yes"),
    "wait": (WORK, _wait, "wait for what comes next: an answer, a note, a directive, or work"),
    "report": (WORK, _report, "say what you do and used, and keep the task"),
    "finish": (WORK, _finish, "hand in the task"),
    "give-back": (WORK, _give_back, "give the task back"),
    "propose": (WORK, _propose, "propose work that you found beside your task"),
    "note": (WORK, _note, "write into the board's memory"),
    "work": (WORKER, _work, "take tasks and have a program do them, each in its own worktree"),
    "status": (WORK, _nothing, "say who you are, on which board, and what you hold"),
    "call": (CALLS, _call, "send one request to the API, as /llms-full.txt describes it"),
    "sign-in": (SIGNING, _sign_in, "sign this terminal in by a code, or store a token"),
    "sign-out": (SIGNING, _nothing, "end the connection of this terminal, and remove its token"),
    "connect": (CONNECT, _connect, "lead a program that you run to a board, or look whether that works"),
    "disconnect": (CONNECT, _program, "take all of that out of the program, and end its connection"),
    "update": (UPDATE, _update, "replace this program by the server's, if it is another one"),
}


def _formatter(prog: str) -> argparse.HelpFormatter:
    try:
        width = os.get_terminal_size().columns
    except (OSError, ValueError):
        width = 100
    return argparse.HelpFormatter(prog, width=min(width, 120) - 2)  # without a width it imports six modules to find one


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Usage(f"{message[:1].upper()}{message[1:]}.\n{self.format_usage().strip()}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit code. There is no traceback, whatever happens."""
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        return problems.INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return problems.PIPE_CLOSED
    except OSError as error:
        _drop_output()
        print(f"{error.filename or 'The output'}: {error.strerror}.", file=sys.stderr)
        return problems.REFUSED
    except Exception as error:
        if os.environ.get("MISSION_CONTROL_DEBUG"):
            raise
        print(
            f"This is a fault of the program ({type(error).__name__}: {error}). With MISSION_CONTROL_DEBUG=1 it says"
            " where.",
            file=sys.stderr,
        )
        return problems.BROKEN


def _drop_output() -> None:
    """Drop what is left to write: Python would try it at its end, and complain."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: list[str]) -> int:
    printing.guard()
    if arguments[:1] == ["hook"]:
        from mission_control.client import spool

        return spool.main(arguments[1:])
    if arguments[:1] == ["gate"]:
        from mission_control.client import gate

        return gate.main(arguments[1:])
    name, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    is_call = name == "call" or name.upper() in METHODS
    if name.upper() in METHODS:
        name, rest = "call", arguments
    try:
        if name in ("-h", "--help", "help"):
            print(_overview())
        elif name == "--version":
            print(__version__)
        elif name not in COMMANDS:
            raise Usage(_unknown(name))
        else:
            _command(name, rest)
        if sys.stdout is not None:
            sys.stdout.flush()
    except Problem as problem:
        if is_call or "--json" in rest:
            if problem.text:
                print(printing.as_json({"detail": problem.detail}), flush=True)
        if problem.text and not is_call:
            print(printing.entry(problem.text), file=sys.stderr)
        return problem.exit_code
    return problems.DONE


def parser_of(name: str) -> argparse.ArgumentParser:
    _, arguments, says = COMMANDS[name]
    from mission_control.client.credentials import called

    parser = _Parser(
        prog=f"{called()} {name}",
        description=f"{says[:1].upper()}{says[1:]}.",
        allow_abbrev=False,
        formatter_class=_formatter,
    )
    arguments(parser)
    shared = parser.add_argument_group("for every command")
    shared.add_argument("--json", action="store_true", help="print the server's answer as it is")
    shared.add_argument("--connection", default="", metavar="NAME", help="another connection than the usual one")
    shared.add_argument(
        "--no-update", action="store_true", help="keep this program, although the server has a newer one"
    )
    return parser


def _command(name: str, rest: list[str]) -> None:
    module = COMMANDS[name][0]
    given = parser_of(name).parse_intermixed_args(rest)
    function = getattr(import_module(f"mission_control.client.{module}"), name.replace("-", "_"))
    if module in (SIGNING, CONNECT, UPDATE):
        function(given)
        return
    from mission_control.client import credentials
    from mission_control.client.api import Api

    api = Api(credentials.find(given.connection))
    try:
        from mission_control.client.tasks import Session

        function(Session(api, given.json), given)
    finally:
        if not given.no_update and api.newest not in ("", __version__):
            from mission_control.client.update import after_command

            after_command(api)
        api.close()


def _overview() -> str:
    from mission_control.client.credentials import called

    lines = [f"Usage: {called()} COMMAND [...]; {called()} COMMAND --help says more.", ""]
    lines += [f"  {name:<10} {says}" for name, (_, _, says) in COMMANDS.items()]
    lines += ["", "Exit codes:", *(f"  {code:>3}  {says}" for code, says in problems.EXIT_CODES.items())]
    return "\n".join(lines)


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    from mission_control.client.credentials import called

    near = get_close_matches(name, COMMANDS, 1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"There is no command {name}.{meant} `{called()} --help` lists all."


if __name__ == "__main__":
    sys.exit(main())
