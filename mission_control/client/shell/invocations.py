"""What a command line runs: each program with its words, also behind others that run what they are given."""

from __future__ import annotations

import re

from mission_control.client.shell.reading import ASSIGNMENT, UNKNOWN, Command, Reader, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Invocation = tuple[Sequence[Word], int]  # words, and where among them a program stands


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


MOST_WORDS = 1_000  # of a program that may run any of them
MOST_TEXTS = 8  # commands in arguments of commands in arguments
ANY = Word(UNKNOWN, is_open=True)
# What runs the rest of its words: its options that have a value of their own, and how many words stand before.
WRAPPERS: dict[str, tuple[str, int]] = {
    "builtin": ("", 0),
    "busybox": ("", 0),
    "chroot": ("", 1),
    "command": ("", 0),
    "doas": ("-C -u", 0),
    "env": ("-u --unset -C --chdir", 0),
    "exec": ("-a", 0),
    "ionice": ("-c -n", 0),
    "nice": ("-n --adjustment", 0),
    "nohup": ("", 0),
    "noglob": ("", 0),
    "setsid": ("", 0),
    "stdbuf": ("-i -o -e --input --output --error", 0),
    "sudo": ("-u -g -h -p -C -D -R -r -t -T -U --user --group --host --prompt --chdir --role --type", 0),
    "time": ("-f -o --format --output", 0),
    "timeout": ("-k -s --kill-after --signal", 1),
    "toybox": ("", 0),
    "xargs": ("-a -d -E -I -L -n -P -s --arg-file --delimiter --max-lines --max-args --max-procs --max-chars", 0),
}
# What hands the rest of its words to a shell, likewise.
TEXT_WRAPPERS: dict[str, tuple[str, int]] = {
    "eval": ("", 0),
    "ssh": ("-b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W -w", 1),
    "watch": ("-n --interval", 0),
}
SHELLS = names("ash bash csh dash fish ksh mksh powershell pwsh rbash sh tcsh zsh")
# What runs code, and its options for that.
INTERPRETERS: dict[str, str] = {
    "bun": "-e --eval -p --print",
    "deno": "eval repl",
    "lua": "-e",
    "node": "-e --eval -p --print -pe -i",
    "osascript": "-e",
    "perl": "-e -E",
    "php": "-r -B -R -E",
    "python": "-c",
    "Rscript": "-e",
    "ruby": "-e",
}
WHOLE = names("alias at batch crontab enable expect parallel screen tmux")  # read for certain by nobody
# What else runs its arguments: none of them can be unknown.
LAUNCHERS = names(
    "chrt dbus-run-session fakeroot faketime firejail flock ltrace numactl parallel proot rlwrap runuser script "
    "setpriv strace su systemd-run taskset torsocks unbuffer unshare nsenter xvfb-run npx"
)
# Programs whose arguments are only data.
DATA = names(
    ": [ [[ base64 basename break cat cd chmod chown clear cmp column comm continue cut date df diff dirname du echo "
    "egrep exit false fgrep file fold for gh grep head hostname id jq kill ll ls md5sum mkdir nl paste popd printf ps "
    "pushd pwd read readlink realpath return rev rm rmdir seq set sha256sum shift sleep stat strings tac tail tee "
    "test touch tr tree true type uname uniq unset wait wc which whoami yes yq export declare typeset readonly local "
    "let"
)
EVALUATED = names("[ [[ declare export let local read readonly test typeset unset")
MAKERS = names("cp curl dd install ln mv tee wget")
# Of git: what has a value before the subcommand, subcommands whose arguments are only data, and those that run some.
GIT_VALUES = ("-C", "-c", "--git-dir", "--work-tree", "--namespace", "--config-env", "--exec-path", "--attr-source")
GIT_DATA = names(
    "add blame branch cat-file checkout cherry-pick clean commit describe diff init log ls-files merge mv notes "
    "reflog remote reset restore rev-parse revert rm shortlog show stash status switch tag worktree"
)
GIT_RUNS = {
    "bisect": "run",
    "difftool": "-x --extcmd",
    "filter-branch": "",
    "rebase": "-x --exec",
    "submodule": "foreach",
}
HARMLESS_CONFIG = re.compile(r"(?i)(?:user|color|advice|init|safe|push|pull|commit|core\.quote\w+|core\.autocrlf)\b")
RUN_BY_NAME = re.compile(
    r"\w*(?:EDITOR|PAGER|COMMAND|ASKPASS|VISUAL|BROWSER|GIT_SSH|GIT_EXTERNAL_DIFF|LESSOPEN)", re.ASCII
)
UNREADABLE_NAMES = re.compile(r"(?:BASH_ENV|ENV|PS4|LD_\w+|DYLD_\w+|GIT_CONFIG\w*|BASH_FUNC\w*)", re.ASCII)
# Code that runs nothing: printing, deleting and replacing of sed, without the flag that runs the result; so of perl.
ADDRESS = r"(?:\d+|\$|/(?:[^/\\\n\0]|\\[^\n\0])*/I?)"
PART = r"(?:(?!(?P=mark))[^\\\n\0]|\\[^\n\0])*(?P=mark)"
REPLACED = rf"s(?P<mark>[/|#,:@%!]){PART}{PART}[gpiIsmx0-9]*"
STEP = rf"\s*(?:{ADDRESS}(?:,[~+]?{ADDRESS})?\s*!?\s*)?(?:[pdqn=DGHhgxNP]|[aic]\\?[^\n\0]*|{REPLACED})?\s*"
HARMLESS_SED = re.compile(STEP)
HARMLESS_PERL = re.compile(REPLACED + ";?")
RUNNING_AWK = re.compile(r"system|getline|@|\0|print.*(?<!\|)\|(?!\|)", re.DOTALL)


def name_of(word: Word) -> str:
    name = re.split(r"[/\\]", word.text)[-1]
    if (UNKNOWN in name) or (word.is_open and UNKNOWN in word.text) or word.text.startswith("="):
        return ""
    return name[:-4] if name.lower().endswith(".exe") else name


class Invocations:
    """The programs that a text runs. `is_certain`: it runs no others, as far as a text can say that."""

    def __init__(self) -> None:
        self.all: list[Invocation] = []
        self.is_certain = True
        self._texts = 0
        self._made: set[str] = set()
        self._defines = False

    def read(self, text: str, *, is_certain: bool = True) -> None:
        """Read a command line. Without `is_certain` it may be none: then only what it names counts."""
        before, self._texts = self.is_certain, self._texts + 1
        if self._texts > MOST_TEXTS:
            self.is_certain = self.is_certain and not is_certain
        else:
            reader = Reader(text).read()
            self.is_certain = self.is_certain and reader.is_certain
            self._defines = self._defines or reader.defines
            for command in reader.commands:
                self._read(command, reader.commands)
        self._texts -= 1
        self.is_certain = self.is_certain if is_certain else before

    def _doubt(self) -> None:
        self.is_certain = False

    def _read(self, command: Command, others: Sequence[Command]) -> None:
        for word in command.assigned:
            self._assigned(word.text)
        self._made |= {one.text.rpartition("/")[2] for one in command.targets if not one.text.startswith("/dev/")}
        if not command.words:
            return
        texts = list(command.texts)
        if not self._is_data(command.words):
            for one in others:
                if one is not command and one.pipeline == command.pipeline:
                    texts += [" ".join(word.text for word in one.words[1:]), *one.texts]
        self.run([*command.words, *command.targets], len(command.words), texts)

    def _is_data(self, words: Sequence[Word]) -> bool:
        return name_of(words[0]) in DATA and not self._defines

    def run(self, words: Sequence[Word], end: int, texts: Sequence[str] = (), at: int = 0) -> None:
        """Take a program with its words, which end before those of its redirections."""
        name = name_of(words[at])
        self.all.append((words, at))
        if name in MAKERS:
            self._made |= {one.text.rpartition("/")[2] for one in words[at + 1 : end]}
        if not name or name == "{}":
            self._doubt()
        elif name.startswith("-"):  # some shells and `time` take options here
            self._doubt()
            self._anything(words, end, texts, at)
        elif name in WRAPPERS:
            self._wrapped(name, words, end, texts, at)
        elif name in TEXT_WRAPPERS:
            start = _command_place(*TEXT_WRAPPERS[name], words, end, at)
            self._code(words[start:end])
        elif name in SHELLS:
            self._shell(words, end, at)
        elif (code := INTERPRETERS.get(re.sub(r"[\d.]+$", "", name))) is not None:
            self._interpreter(name, code.split(), words, end, at)
        elif name in ("source", "."):
            self._file(words[at + 1] if at + 1 < end else ANY)
        elif name in WHOLE or (name == "hash" and end - at > 2):
            self._doubt()
        elif name == "trap":
            self._code(words[at + 1 : at + 2])
        elif name == "find":
            self._find(words, end, at)
        elif name == "git":
            self._git(words, end, at)
        elif name == "sed":
            scripts = _scripts(words[at + 1 : end])
            harmless = all(HARMLESS_SED.fullmatch(part) for one in scripts for part in re.split(r"[;\n]", one))
            self.is_certain = self.is_certain and harmless
        elif name in ("awk", "gawk", "mawk", "nawk"):
            scripts = _scripts(words[at + 1 : end], "-v", "-F", "-f")[:1]
            self.is_certain = self.is_certain and not any(RUNNING_AWK.search(one) for one in scripts)
        elif name in DATA and not self._defines:
            self._data(name, words, end, at)
        else:
            self._anything(words, end, texts, at)

    def _data(self, name: str, words: Sequence[Word], end: int, at: int) -> None:
        if name in EVALUATED:
            for word in words[at + 1 : end]:
                self._assigned(word.text)
        if name == "gh" and {"alias", "extension"} & {one.text for one in words[at:end]}:
            self._doubt()

    def _assigned(self, text: str) -> None:
        """Take a value, which an expression may evaluate and a program may run."""
        if "$(" in text or "`" in text:
            self._doubt()
        if (match := ASSIGNMENT.match(text)) is None:
            return
        if UNREADABLE_NAMES.fullmatch(match[1]):
            self._doubt()
        elif RUN_BY_NAME.fullmatch(match[1]):
            self._text(text[match.end() :])

    def _text(self, text: str) -> None:
        if UNKNOWN in text:
            self._doubt()
        else:
            self.read(text)

    def _code(self, words: Sequence[Word]) -> None:
        self._text(" ".join(one.text for one in words))

    def _file(self, word: Word) -> None:
        """Take a file that is run: what is in it is not seen, but it was not made here and is no stream."""
        name = word.text.rpartition("/")[2]
        if (
            not name
            or UNKNOWN in name
            or word.is_open
            or word.text.startswith(("/dev/", "/proc/"))
            or name in self._made
        ):
            self._doubt()

    def _wrapped(self, name: str, words: Sequence[Word], end: int, texts: Sequence[str], at: int) -> None:
        start = _command_place(*WRAPPERS[name], words, end, at)
        before = [one.text for one in words[at + 1 : start]]
        if name == "command" and any(re.fullmatch(r"-[pvV]*[vV][pvV]*", one) for one in before):
            return
        if name == "env" and any(re.match(r"-\w*S|--s", one) for one in before):
            self._doubt()
        if name == "sudo" and any(re.match(r"-\w*[is]$|--(?:login|shell)", one) for one in before):
            self._code(words[start:end] or [ANY])
            return
        for text in before:
            self._assigned(text)
        if any(one.is_open for one in words[at + 1 : start + 1]):
            self._doubt()
        if start >= end:
            return
        inner = list(words[start:end])
        if name == "xargs":
            mark = next(
                (b if a == "-I" else a[2:] for a, b in zip(before, [*before[1:], ""]) if a.startswith("-I")), "{}"
            )
            inner = [Word(one.text.replace(mark or "{}", UNKNOWN), one.is_open) for one in inner] + [ANY]
        self.run([*inner, *words[end:]], len(inner), texts)

    def _shell(self, words: Sequence[Word], end: int, at: int, *, has_input: bool = True) -> None:
        place, has_code = at + 1, False
        while place < end:
            text = words[place].text
            if not text.startswith(("-", "+")) or text == "-":
                break
            if UNKNOWN in text:
                self._doubt()
            if text in ("--version", "--help"):
                return
            has_code = has_code or re.match(r"-\w*c|--?[cC]ommand", text) is not None
            place += 2 if text[1:] in ("o", "O", "-rcfile", "-init-file") else 1
            if text == "--":
                break
        if any(one.text.startswith("-s") for one in words[at + 1 : place]) or (place >= end and has_input):
            self._doubt()
        elif place < end:
            if has_code:
                self._code(words[place : place + 1])
            else:
                self._file(words[place])

    def _interpreter(
        self, name: str, code: Sequence[str], words: Sequence[Word], end: int, at: int, *, has_input: bool = True
    ) -> None:
        rest = words[at + 1 : end]
        given = [one.text for one in rest]
        if name == "perl" and _is_harmless_perl(given):
            return
        for place, text in enumerate(given):
            is_code = text in code or any(
                re.match(rf"-[A-Za-z0-9]*{one[1:]}", text) if len(one) == 2 else text.startswith(f"{one}=")
                for one in code
                if one.startswith("-")
            )
            if is_code or (text == "-" and has_input):
                self._doubt()
                return
            if text == "-m":
                self._anything(words, end, (), at)
                return
            if text in ("--version", "-V", "-v", "--help", "-h"):
                return
            if not text.startswith("-"):
                self._file(rest[place])
                return
        if has_input:
            self._doubt()

    def _find(self, words: Sequence[Word], end: int, at: int) -> None:
        place = at + 1
        while place < end:
            word = words[place]
            place += 1
            if word.is_open and word.text == UNKNOWN:
                self._doubt()
            if word.text not in ("-exec", "-execdir", "-ok", "-okdir"):
                continue
            start = place
            while place < end and words[place].text not in (";", "+"):
                place += 1
            if inner := [Word(one.text.replace("{}", UNKNOWN), one.is_open) for one in words[start:place]]:
                self.run(inner, len(inner))

    def _git(self, words: Sequence[Word], end: int, at: int) -> None:
        place = after_globals(words, at)
        before = [one.text for one in words[at + 1 : place]]
        for option, value in zip(before, before[1:]):
            if option == "-c":
                self._configured(*value.partition("=")[::2])
        if any(re.match(r"--(?:config-env|exec-path=)", one) for one in before):
            self._doubt()
        sub = words[place].text if place < end else ""
        rest = words[place + 1 : end]
        texts = [one.text for one in rest]
        if sub == "config":
            for key, value in zip(texts, [*texts[1:], ""]):
                if "." in key and value and not key.startswith("-"):
                    self._configured(key, value)
        elif sub in GIT_RUNS:
            marks = GIT_RUNS[sub].split()
            for number, text in enumerate(texts):
                if text in marks or (text.startswith("--e") and "=" not in text and "--exec" in marks):
                    self._code(rest[number + 1 :] if sub in ("bisect", "submodule") else rest[number + 1 : number + 2])
                elif text.startswith(("-x", "--e")) and sub in ("rebase", "difftool"):
                    self._text(text.partition("=")[2] or text[2:])
            if sub == "filter-branch":
                self._doubt()
        elif sub not in GIT_DATA:
            if any("ext::" in text for text in texts):
                self._doubt()
            self._anything(words, end, (), place)

    def _configured(self, key: str, value: str) -> None:
        if key.lower().startswith("alias."):
            self._text(value[1:] if value.startswith("!") else f"git {value}")
        elif key.lower().startswith("include"):
            self._doubt()
        elif not HARMLESS_CONFIG.match(key):
            self._text(value)

    def _anything(self, words: Sequence[Word], end: int, texts: Sequence[str], at: int) -> None:
        """Take a program that may run what is in its arguments, or on its standard input."""
        if at >= end:
            return
        if "/" in words[at].text:
            self._file(words[at])
        rest, launches = words[at + 1 : end], at < end and name_of(words[at]) in LAUNCHERS
        if len(rest) > MOST_WORDS or (launches and any(UNKNOWN in one.text for one in rest)):
            self._doubt()
            return
        for place in range(at + 1, end):
            self.all.append((words, place))
            name = name_of(words[place])
            if name in SHELLS:
                self._shell(words, end, place, has_input=False)
            elif (code := INTERPRETERS.get(re.sub(r"[\d.]+$", "", name))) is not None:
                options = [one.text for one in words[place + 1 : place + 2]]
                if any(one in code.split() for one in options):
                    self._doubt()
            if re.search(r"[\s;&|=$`]", text := words[place].text):
                self.read(text.replace(UNKNOWN, "_"), is_certain=launches)
                self.read(text.replace("=", " ").replace(UNKNOWN, "_"), is_certain=False)
        for text in texts:
            self.read(text.replace(UNKNOWN, "_"), is_certain=False)


def _command_place(options: str, before: int, words: Sequence[Word], end: int, at: int) -> int:
    with_value, place = options.split(), at + 1
    while place < end:
        text = words[place].text
        if text.startswith("-") and len(text) > 1:
            place += 2 if text in with_value else 1
            if text == "--" and not before:
                break
        elif ASSIGNMENT.match(text) and name_of(words[at]) in ("doas", "env", "sudo"):
            place += 1
        elif before:
            before -= 1
            place += 1
        else:
            break
    return place


def _scripts(words: Sequence[Word], *with_value: str) -> list[str]:
    """Return the scripts of a program that takes one as its first word, or by -e; none where it is in a file."""
    scripts, first, place = [], None, 0
    texts = [one.text for one in words]
    while place < len(texts):
        text = texts[place]
        place += 1
        if re.fullmatch(r"-\w*e|--expression", text) and "-F" not in with_value:
            scripts.append("".join(texts[place : place + 1]))
            place += 1
        elif text.startswith("--expression="):
            scripts.append(text.partition("=")[2])
        elif text in with_value:
            place += 1
        elif re.match(r"-f|--file", text):
            return []
        elif (text == UNKNOWN and first is None) or ((not text.startswith("-") or text == "-") and first is None):
            first = text
    return scripts or ([first] if first is not None else [])


def _is_harmless_perl(given: Sequence[str]) -> bool:
    if len(given) < 2 or not re.fullmatch(r"-[pnilw0]*(?:i\.\w+)?", given[0].replace("e", "")):
        return False
    code = given[1] if given[0].endswith("e") else given[2] if given[1:2] == ["-e"] and len(given) > 2 else ""
    rest = given[2:] if given[0].endswith("e") else given[3:]
    is_file = not any(one.startswith("-") for one in rest)
    return is_file and not re.search(r"[{@`]", code) and HARMLESS_PERL.fullmatch(code) is not None


def after_globals(words: Sequence[Word], at: int) -> int:
    place = at + 1
    while place < len(words) and words[place].text.startswith("-"):
        place += 2 if words[place].text in GIT_VALUES and place + 1 < len(words) else 1
        if place <= len(words) and words[place - 1].is_open:
            return place - 1
    return place
