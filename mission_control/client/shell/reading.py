"""A command line as a shell reads it: its simple commands, word by word.

Nothing is expanded. What an expansion would put into a word is UNKNOWN in its text; a word that may become several, or
none, is open. What cannot be read for certain makes the reading uncertain, and what was read so far stays.
"""

from __future__ import annotations

import re
from typing import NamedTuple

UNKNOWN = "\0"
LONGEST = 131_072  # bytes that Linux hands to a program in one argument
DEEPEST = 30  # substitutions in each other
SIMPLE = re.compile(r"[\w./:@%,+-]+(?=[ \t\n;|]|\Z)")
PLAIN = re.compile(r"[^ \t\n;&|()<>\\'\"`$]+")
IN_QUOTES = re.compile(r"[^\\\"`$]+")
NAME = re.compile(r"\w+|[@*#?$!-]", re.ASCII)
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:\[[^]]*\])?\+?=", re.ASCII)
GLOB = re.compile(r"\[[^]]+\]|[*?]")
GLOB_MARK = re.compile(r"[]*?]")
SKIPPED = frozenset(("if", "then", "elif", "else", "fi", "while", "until", "do", "done", "!", "{", "}", "coproc"))
ONE_WORD = frozenset("#?$!-")  # parameters that are never split
QUOTED = "\1"  # in the shape of a word: a character that has no meaning to the shell


class Word(NamedTuple):
    """A word of a command, without its quotes."""

    text: str
    is_open: bool = False


class Command(NamedTuple):
    """A simple command with the files that it is redirected to, the texts on its standard input, and its pipeline."""

    words: list[Word]
    assigned: list[Word]
    targets: list[Word]
    texts: list[str]
    pipeline: int


class Reader:
    """Reads a text once, from its beginning to its end."""

    def __init__(self, text: str, depth: int = 0) -> None:
        self.text, self.at, self.depth = text, 0, depth
        self.commands: list[Command] = []
        self.is_certain = UNKNOWN not in text and len(text) <= LONGEST and depth < DEEPEST
        self.defines = False  # functions, under any name
        self._due: list[tuple[str, bool, bool, list[str]]] = []  # here-documents whose text follows
        self._pipelines = 0
        self._command = Command([], [], [], [], 0)

    def read(self) -> Reader:
        while self.is_certain and self.at < len(self.text):
            self._list("")
            self.is_certain = self.is_certain and self.at >= len(self.text)  # else at a stray parenthesis
        self._end()
        self.is_certain = self.is_certain and not self._due
        return self

    def _end(self, *, pipes: bool = False) -> None:
        if self._command.words or self._command.assigned or self._command.targets:
            self.commands.append(self._command)
        self._pipelines += 1
        self._command = Command([], [], [], [], self._command.pipeline if pipes else self._pipelines)

    def _next(self, number: int = 1) -> str:
        return self.text[self.at : self.at + number]

    def _list(self, closer: str) -> None:
        cases = 0
        while self.at < len(self.text):
            here = self._next()
            if here in " \t":
                self.at += 1
            elif self._next(2) == "\\\n":
                self.at += 2
            elif here == "#":
                self.at = _or_end(self.text, self.text.find("\n", self.at))
            elif here == "\n":
                self._end()
                self.at += 1
                self._here_documents()
            elif here == ")":
                self._end()
                if closer:
                    self.at += 1
                return
            elif here == "(":
                self._parenthesis()
            elif here in ";|" or (here == "&" and self._next(2) != "&>"):
                match = re.compile(r"(;;&|;;|;&)|(\|&|\|(?!\|))|&&|\|\||.").match(self.text, self.at)
                assert match is not None
                self._end(pipes=bool(match[2]))
                self.at = match.end()
                if match[1] and cases:
                    cases -= self._case_pattern()
            elif (redirection := _REDIRECTION.match(self.text, self.at)) is not None:
                self._redirected(redirection)
            else:
                cases += self._word_of_command()
        if closer:
            self.is_certain = False

    def _word_of_command(self) -> int:
        begin, words = self.at, self._command.words
        word = self._word()
        if words:
            words.append(word)
            return 0
        bare = word.text if self.text[begin : self.at] == word.text else ""
        if ASSIGNMENT.match(self.text[begin : self.at]):
            self._command.assigned.append(word)
        elif bare == "function":
            self._blank()
            self._word()
            self.defines = True
        elif bare in ("for", "select"):
            self._for()
        elif bare == "time":  # a list may follow it
            self.commands.append(Command([word], [], [], [], self._command.pipeline))
        elif bare == "case":
            self._blank()
            self._word()
            self._blank(lines=True)
            self.is_certain = self.is_certain and self._word().text == "in"
            return 1 - self._case_pattern()
        elif bare == "[[":
            self._condition()
        elif bare not in SKIPPED or self._command.assigned:
            words.append(word)
        return 0

    def _for(self) -> None:
        self._blank()
        if self._next() == "(":
            return
        self._word()
        self._blank(lines=True)
        if re.compile(r"in(?=[ \t\n;])").match(self.text, self.at):
            self._command.words.append(Word("for"))

    def _case_pattern(self) -> int:
        """Read up to the commands of the next pattern. Return 1 when there is none."""
        self._blank(lines=True)
        if re.compile(r"esac(?![\w-])").match(self.text, self.at):
            self.at += len("esac")
            return 1
        while self.at < len(self.text) and self._next() != ")":
            if self._next() in " \t|(\n":
                self.at += 1
            elif self._next() in ";&<>":
                break
            else:
                self._word()
        self.is_certain = self.is_certain and self._next() == ")"
        self.at += 1
        return 0

    def _condition(self) -> None:
        """Read what stands between [[ and ]]: operators are words there."""
        self._command.words.append(Word("[["))
        while self.at < len(self.text):
            self._blank(lines=True)
            if self._next() in ("&", "|", "(", ")", "<", ">", ";"):
                self.at += 1
                continue
            word = self._word()
            self._command.words.append(word)
            if word.text == "]]":
                return
        self.is_certain = False

    def _blank(self, *, lines: bool = False) -> None:
        match = re.compile(r"(?:[ \t]|\\\n)*" if not lines else r"(?:[ \t\n]|\\\n|#[^\n]*\n)*").match(
            self.text, self.at
        )
        self.at = match.end() if match else self.at

    def _parenthesis(self) -> None:
        words, self.at = self._command.words, self.at + 1
        if words:  # name ( ): a function
            self._blank()
            self.is_certain = self.is_certain and len(words) == 1 and self._next() == ")"
            self.at += 1
            self.defines = True
            words.clear()
        elif self._next() != "(" or not self._arithmetic():
            self._nested()

    def _nested(self) -> None:
        """Read commands in parentheses, the first of which was read."""
        outer, due, self.depth = self._command, self._due, self.depth + 1
        if self.depth > DEEPEST:
            self.is_certain, self.at = False, len(self.text)
        self._due = []
        self._pipelines += 1
        self._command = Command([], [], [], [], self._pipelines)
        self._list(")")
        self.is_certain = self.is_certain and not self._due
        self.depth, self._due, self._command = self.depth - 1, due, outer

    def _arithmetic(self) -> bool:
        """Read an expression in two parentheses, of which one was read, if it is one."""
        depth, at = 0, self.at
        for match in re.compile(r"\\.|'[^']*'|[()]", re.DOTALL).finditer(self.text, self.at):
            depth += {"(": 1, ")": -1}.get(match[0], 0)
            if depth == 0 and match[0] == ")":
                at = match.end()
                break
        if at == self.at or self.text[at : at + 1] != ")":
            return False
        self._inside(self.text[self.at : at])
        self.at = at + 1
        return True

    def _inside(self, text: str) -> str:
        inner = Reader(text, self.depth + 1)
        inner.is_certain = inner.depth < DEEPEST
        shown = inner._quoted("") if inner.is_certain else UNKNOWN
        self.commands += inner.commands
        self.is_certain = self.is_certain and inner.is_certain
        return shown.replace("\2", "")

    def _redirected(self, match: re.Match[str]) -> None:
        self.at = match.end()
        self._blank()
        begin = self.at
        target = self._word()
        if match[1] in ("<<", "<<-"):
            is_plain = self.text[begin : self.at] == target.text
            self._due.append((target.text, is_plain, match[1] == "<<-", self._command.texts))
        elif match[1] == "<<<":
            self._command.texts.append(target.text)
        elif begin == self.at:
            self.is_certain = False
        else:
            self._command.targets.append(target)

    def _here_documents(self) -> None:
        for end, expands, is_indented, texts in self._due:
            lines: list[str] = []
            while True:
                if self.at >= len(self.text):
                    self.is_certain = False
                    break
                stop = _or_end(self.text, self.text.find("\n", self.at))
                line, self.at = self.text[self.at : stop], stop + 1
                line = line.lstrip("\t") if is_indented else line
                if line == end:
                    break
                lines.append(line)
            text = "\n".join(lines)
            texts.append(self._inside(text) if expands else text)
        self._due = []

    def _word(self) -> Word:
        if (simple := SIMPLE.match(self.text, self.at)) is not None:
            self.at = simple.end()
            return Word(simple[0])
        parts: list[str] = []
        shape: list[str] = []
        is_open = False
        while self.at < len(self.text):
            here, part, form = self._next(), "", None
            if here in " \t\n;&|()<>":
                if here in "<>" and self._next(2)[1:] == "(":
                    self.at += 2
                    self._nested()
                    part = UNKNOWN
                elif here == "(" and parts and ASSIGNMENT.fullmatch("".join(parts)):
                    self._array()
                else:
                    break
            elif here == "\\":
                part = self._next(2)[1:]
                self.at += 2
                part = "" if part == "\n" else part
            elif here == "'":
                stop = self.text.find("'", self.at + 1)
                self.is_certain = self.is_certain and stop >= 0
                part = self.text[self.at + 1 : _or_end(self.text, stop)]
                self.at += len(part) + 2
            elif here == '"':
                self.at += 1
                shown = self._quoted('"')
                is_open, part = is_open or "\2" in shown, shown.replace("\2", "")
            elif here in "$`":
                part, opens = self._expansion(is_quoted=False)
                is_open = is_open or opens
            else:
                match = PLAIN.match(self.text, self.at)
                assert match is not None
                part = form = match[0]
                self.at = match.end()
            parts.append(part)
            shape.append(QUOTED * len(part) if form is None else form)
        text, outline = "".join(parts), "".join(shape)
        spans = [match.span() for match in GLOB.finditer(outline)] if GLOB_MARK.search(outline) else []
        first, last = outline.find("{"), outline.rfind("}")
        if 0 <= first < last and ("," in outline[first:last] or ".." in outline[first:last]):
            spans.append((first, last + 1))
        for begin, end in spans:
            text = text[:begin] + UNKNOWN * (end - begin) + text[end:]
            is_open = True
        return Word(re.sub(f"{UNKNOWN}+", UNKNOWN, text), is_open)

    def _array(self) -> None:
        self.at += 1
        while self.at < len(self.text):
            self._blank(lines=True)
            if self._next() == ")":
                self.at += 1
                return
            if self._next() in (";", "&", "|", "(", "<", ">"):
                break
            self._word()
        self.is_certain = False

    def _quoted(self, closer: str) -> str:
        """Return a text between double quotes, which ends with them or, without a closer, with the whole text.

        `\\2` in it says that it may become several words.
        """
        parts: list[str] = []
        while self.at < len(self.text):
            here = self._next()
            if here == closer:
                self.at += 1
                return "".join(parts)
            if here == "\\":
                escaped = self._next(2)[1:]
                parts.append("" if escaped == "\n" else escaped if escaped in '$`"\\' else f"\\{escaped}")
                self.at += 2
            elif here in "$`":
                part, is_open = self._expansion(is_quoted=True)
                parts.append(part + ("\2" if is_open else ""))
            elif (match := IN_QUOTES.match(self.text, self.at)) is not None:
                parts.append(match[0])
                self.at = match.end()
            else:  # quotes in a here-document
                parts.append(here)
                self.at += 1
        self.is_certain = self.is_certain and not closer
        return "".join(parts)

    def _expansion(self, *, is_quoted: bool) -> tuple[str, bool]:
        """Read what begins with `$` or a backquote; return its text and whether it may become several words."""
        here, after = self._next(), self._next(2)[1:]
        self.at += 1
        if here == "`":
            return self._backquoted(is_quoted=is_quoted)
        if after == "(":
            self.at += 1
            if self._next() == "(" and self._arithmetic():
                return UNKNOWN, False
            self._nested()
            return UNKNOWN, not is_quoted
        if after == "{":
            return UNKNOWN, self._parameter() or not is_quoted
        if after == "'" and not is_quoted:
            match = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL).match(self.text, self.at)
            self.is_certain = self.is_certain and match is not None
            self.at = match.end() if match else len(self.text)
            return UNKNOWN, False
        if after == "[":
            self.is_certain = False
        if (match := NAME.match(self.text, self.at)) is not None:
            self.at += 1 if match[0][0].isdigit() else len(match[0])
            return UNKNOWN, match[0] == "@" or (not is_quoted and match[0] not in ONE_WORD)
        return (UNKNOWN if after == '"' and not is_quoted else "$"), False

    def _backquoted(self, *, is_quoted: bool) -> tuple[str, bool]:
        match = re.compile(r"((?:[^`\\]|\\.)*)`", re.DOTALL).match(self.text, self.at)
        if match is None:
            self.is_certain, self.at = False, len(self.text)
            return UNKNOWN, True
        inner = Reader(re.sub(r"\\([$`\\])", r"\1", match[1]), self.depth + 1).read()
        self.commands += inner.commands
        self.is_certain = self.is_certain and inner.is_certain
        self.defines = self.defines or inner.defines
        self.at = match.end()
        return UNKNOWN, not is_quoted

    def _parameter(self) -> bool:
        """Read a parameter in braces. Return whether it may become several words between quotes too."""
        begin = self.at
        self.depth += 1
        if self.depth > DEEPEST:
            self.is_certain, self.at = False, len(self.text)
        while self.at < len(self.text) and self._next() != "}":
            here = self._next()
            if here == "\\":
                self.at += 2
            elif here == "'":
                self.at = _or_end(self.text, self.text.find("'", self.at + 1)) + 1
            elif here == '"':
                self.at += 1
                self._quoted('"')
            elif here in "$`":
                self._expansion(is_quoted=True)
            else:
                self.at += 1
        self.depth -= 1
        text = self.text[begin : self.at]
        self.is_certain = self.is_certain and self._next() == "}" and not text.endswith("@P")
        self.at += 1
        return "@" in text or text.startswith("{!")


_REDIRECTION = re.compile(r"(?:\d+|\{\w+\})?(<<<|<<-|<<|<>|<&|<(?!\()|>>|>&|>\||>(?!\()|&>>|&>)")


def _or_end(text: str, place: int) -> int:
    return place if place >= 0 else len(text)
