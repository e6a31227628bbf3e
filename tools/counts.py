"""What of the program may only fall, counted from its source by measure and room; `tools/ratchet.py` compares it.

- *statements*: those of the syntax tree, docstrings left out: neither blank lines nor wrapping changes them.
- *names*: the distinct functions, classes, methods, constants and aliases that a room defines, dunder names left out.
- *functions with one caller*: functions of a module that the rest of the program, templates included, names once.
- *loose mappings*: `dict[..., Any]`, `Mapping[..., object]`, and each use of a name that stands for one, or for `Any`.
- *same-shape pairs of files*: files that share a run of lines of one shape; *common shapes*: places of runs that
  stand in more than eight, which are not counted as pairs.
"""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from radon.complexity import cc_visit_ast

from tools.shapes import repeated, shapes_of

PROGRAM, TEMPLATES = "mission_control", "templates"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DOCUMENTED = (ast.Module, ast.ClassDef, *FUNCTIONS)
# Words that name nothing, as variables.
VAGUE = {"one", "found", "kept", "held", "said", "given", "wanted", "shown", "asked", "told", "those", "known"}
MAPPINGS = {"dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict"}
COMPLEX = 10  # McCabe's number; radon calls what is above it grade C
LONG_FUNCTION, LONG_FILE = 30, 250
EXPRESSION = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)  # of a template
CALLED = re.compile(r"\b[A-Za-z_]\w*(?=\()|(?<=\|)\s*[A-Za-z_]\w*")  # functions and filters in it

type Counts = dict[str, dict[str, int]]


@dataclass
class Facts:
    """Of a module: its counts, and what only makes sense beside other modules."""

    counts: Counter[str] = field(default_factory=Counter)
    names: set[str] = field(default_factory=set)
    functions: list[str] = field(default_factory=list)
    imports: dict[str, str] = field(default_factory=dict)
    references: Counter[str] = field(default_factory=Counter)
    aliases: dict[str, list[ast.expr]] = field(default_factory=dict)
    mappings: list[ast.expr] = field(default_factory=list)  # the values' types of annotated mappings
    shapes: list[str] = field(default_factory=list)


def counts_of(source: Mapping[str, str]) -> Counts:
    """Return measure -> room -> count of a source, path -> text; modules beside the rooms count as the room `.`."""
    rooms = {_module(path): _room(path) for path in source if path.endswith(".py")}
    modules = {_module(path): facts_of(_module(path), source[path]) for path in sorted(source) if path.endswith(".py")}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    names: dict[str, set[str]] = defaultdict(set)
    for module, facts in modules.items():
        names[rooms[module]] |= facts.names
        for measure, count in facts.counts.items():
            counts[measure][rooms[module]] += count
    counts["names"].update({room: len(defined) for room, defined in names.items()})
    targets = _Names(modules)
    for module, facts in modules.items():
        counts["Any"][rooms[module]] += targets.uses(module, lambda name: name == "typing.Any")
        counts["loose mappings"][rooms[module]] += targets.uses(module, targets.is_loose)
        counts["loose mappings"][rooms[module]] += sum(targets.is_plain(module, value) for value in facts.mappings)
    calls = targets.callers() + _calls_of_templates(source, modules)
    for module, facts in modules.items():
        single = sum(calls[f"{module}.{name}"] == 1 for name in facts.functions)
        counts["functions with one caller"][rooms[module]] += single
    counts["same-shape pairs of files"], counts["common shapes"] = repeated(
        {module: facts.shapes for module, facts in modules.items()}, rooms
    )
    return {measure: dict(sorted(by_room.items())) for measure, by_room in sorted(counts.items())}


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _room(path: str) -> str:
    parts = path.split("/")
    return parts[1] if len(parts) > 2 else "."


@cache
def facts_of(module: str, text: str) -> Facts:
    """Return what one reading of a module tells; a module that did not change is read once for both sides."""
    tree, facts = ast.parse(text), Facts()
    facts.counts["files over 250 lines"] = text.count("\n") > LONG_FILE
    blocks = cc_visit_ast(tree)
    facts.counts["functions of grade C and worse"] = sum(b.complexity > COMPLEX for b in blocks if b.letter in "FM")
    facts.names |= {name for name in _defined(tree) if not (name.startswith("__") and name.endswith("__"))}
    for statement in tree.body:
        own = statement.name if isinstance(statement, FUNCTIONS) else None
        if own is not None:
            facts.functions.append(own)
        for node in ast.walk(statement):
            _measure(node, facts.counts)
            _note(node, facts, own, module)
    facts.counts["statements"] -= ast.get_docstring(tree) is not None
    facts.counts["docstrings that begin with Return"] += (ast.get_docstring(tree) or "").startswith("Return ")
    facts.shapes = list(shapes_of(text))
    return facts


def _defined(owner: ast.Module | ast.ClassDef) -> Iterator[str]:
    for node in owner.body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            yield node.name
            if isinstance(node, ast.ClassDef):
                yield from _defined(node)
        elif isinstance(owner, ast.Module) and isinstance(node, ast.Assign | ast.AnnAssign | ast.TypeAlias):
            for target in ast.walk(node):
                if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store):
                    yield target.id


def _measure(node: ast.AST, counts: Counter[str]) -> None:
    if isinstance(node, ast.stmt):
        counts["statements"] += 1
        if isinstance(node, FUNCTIONS):
            counts["functions over 30 lines"] += (node.end_lineno or 0) - node.lineno + 1 > LONG_FUNCTION
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)) is not None:
            counts["statements"] -= 1
            counts["docstrings that begin with Return"] += text.startswith("Return ")
    elif isinstance(node, ast.arg):
        counts["vague names"] += node.arg in VAGUE
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        counts["vague names"] += node.id in VAGUE


def _note(node: ast.AST, facts: Facts, own: str | None, module: str) -> None:
    if isinstance(node, ast.ImportFrom):
        package = ".".join([*module.split(".")[: -node.level], node.module or ""]) if node.level else node.module
        facts.imports |= {name.asname or name.name: f"{package}.{name.name}" for name in node.names}
    elif isinstance(node, ast.Import):
        facts.imports |= {name.asname: name.name for name in node.names if name.asname}
    elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
        if (name := _dotted(node)) != own:
            facts.references[name] += 1
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) and _is_mapping(node):
        facts.mappings.append(node.slice.elts[-1])
    elif isinstance(node, ast.ClassDef):
        facts.aliases[node.name] = [base for base in node.bases if _is_mapping(base)]
    elif isinstance(node, ast.TypeAlias):
        facts.aliases[node.name.id] = [node.value]
    elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        value = _type_in(node.value)
        if isinstance(target, ast.Name) and isinstance(value, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp):
            facts.aliases[target.id] = [value]


def _is_mapping(value: ast.expr) -> bool:
    return isinstance(value, ast.Subscript) and _dotted(value.value).rpartition(".")[2] in MAPPINGS


def _type_in(value: ast.expr) -> ast.expr:
    """Return the type that a value names as `"dict[str, Any]"` or `NewType("Row", dict[str, Any])`, or the value."""
    if isinstance(value, ast.Call) and _dotted(value.func).endswith("NewType") and len(value.args) == 2:
        return value.args[1]
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and "[" in value.value:
        try:
            return ast.parse(value.value, mode="eval").body
        except SyntaxError:
            return value
    return value


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return f"{_dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


class _Names:
    """The names of all modules, followed through imports to where they are defined."""

    def __init__(self, modules: Mapping[str, Facts]) -> None:
        self.modules = modules
        self._loose: dict[str, bool] = {}

    def target(self, module: str, name: str) -> str:
        """Return the dotted name of what a name means in a module: its own, if it is not imported."""
        for _ in range(8):  # reexports; a circle of them ends
            first, _, rest = name.partition(".")
            facts = self.modules.get(module)
            if facts is None or first not in facts.imports:
                return f"{module}.{name}"
            path = f"{facts.imports[first]}.{rest}".rstrip(".")
            module, _, name = path.rpartition(".")
        return f"{module}.{name}"

    def uses(self, module: str, matches: Callable[[str], bool]) -> int:
        references = self.modules[module].references
        return sum(count for name, count in references.items() if name and matches(self.target(module, name)))

    def callers(self) -> Counter[str]:
        calls: Counter[str] = Counter()
        for module, facts in self.modules.items():
            for name, count in facts.references.items():
                calls[self.target(module, name)] += count
        return calls

    def is_plain(self, module: str, value: ast.expr) -> bool:
        """Return whether a type is `Any` or `object` itself."""
        name = _dotted(value)
        return name == "object" or self.target(module, name) == "typing.Any"

    def is_loose(self, name: str) -> bool:
        """Return whether a name stands for `Any`, `object`, a mapping or list of them, or another such name."""
        if name not in self._loose:
            self._loose[name] = False  # for an alias of itself
            module, _, alias = name.rpartition(".")
            values = self.modules[module].aliases.get(alias, []) if module in self.modules else []
            self._loose[name] = any(self._holds(module, value) for value in values)
        return self._loose[name]

    def _holds(self, module: str, value: ast.expr) -> bool:
        if isinstance(value, ast.Name | ast.Attribute):
            return self.is_plain(module, value) or self.is_loose(self.target(module, _dotted(value)))
        if isinstance(value, ast.BinOp):
            return self._holds(module, value.left) or self._holds(module, value.right)
        if isinstance(value, ast.Subscript) and not _dotted(value.value).endswith("Callable"):
            parts = value.slice.elts if isinstance(value.slice, ast.Tuple) else [value.slice]
            return any(self._holds(module, part) for part in [value.value, *parts])
        return False


def _calls_of_templates(source: Mapping[str, str], modules: Mapping[str, Facts]) -> Counter[str]:
    words: Counter[str] = Counter()
    for path, text in source.items():
        if not path.endswith(".py"):
            words.update(name.strip() for part in EXPRESSION.findall(text) for name in CALLED.findall(part))
    named = ((f"{module}.{name}", words[name]) for module, facts in modules.items() for name in facts.functions)
    return Counter({target: count for target, count in named if count})
