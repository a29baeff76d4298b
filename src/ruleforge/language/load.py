"""load: a name or a path of a rulebook -> core.Rulebook, or every diagnostic

The whole front of the compiler on one screen: read, parse, build, follow `uses`, resolve, check.
Nothing here raises for what an author wrote, however strange; `RulebookError` carries all there is
to say about it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ruleforge.language import ast, core, messages
from ruleforge.language import check_messages as say
from ruleforge.language.build import build
from ruleforge.language.check import check
from ruleforge.language.cut import MOST_CHARACTERS
from ruleforge.language.diagnostic import Diagnostic, Level, in_order
from ruleforge.language.parse import collector_at_rest, parse
from ruleforge.language.render import render
from ruleforge.language.resolve import resolve
from ruleforge.language.resources import shipped_rulebooks
from ruleforge.language.source import Source, Span

SUFFIX = ".rules"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}(?:\.[A-Za-z_][A-Za-z0-9_-]{0,99}){0,9}")
_MOST_BYTES = 4 * MOST_CHARACTERS  # what the most characters of a rulebook can take in UTF-8
_MOST_USES = 50  # rulebooks that use each other one after the other

# After these something that is declared may be unknown: a rulebook, or a part of one, was not read.
_UNREAD = frozenset({"RF104", "RF107", "RF206"})


class RulebookError(Exception):
    """A rulebook with mistakes. `diagnostics` are all of them, in order; the text shows them as a
    person reads them.
    """

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        return render(self.diagnostics)


def load(rulebook: str | Path, roots: Iterable[str | Path] = ()) -> core.Rulebook:
    """The rulebook of a name (`indiana.special_education`) or a path that ends in `.rules`.

    `uses a.b` is looked for as `a/b.rules` beside the rulebook, then in `roots`, then among the
    shipped rulebooks. Raises `RulebookError` with every mistake of the rulebook and of those that
    it uses.
    """
    loader = _Loader([Path(root) for root in roots])
    if isinstance(rulebook, Path) or rulebook.endswith(SUFFIX):
        loader.read(Path(rulebook), None, None)
    else:
        loader.find(rulebook, None)
    return loader.finish()


def load_text(text: str, path: str = "<text>", roots: Iterable[str | Path] = ()) -> core.Rulebook:
    """The rulebook that a text is. `path` is what diagnostics call it."""
    loader = _Loader([Path(root) for root in roots])
    loader.take(Source(path, text), None)
    return loader.finish()


@dataclass
class _Loader:
    """Follows `uses` depth first; `finished` has each rulebook behind those that it uses."""

    roots: list[Path]
    finished: dict[str, ast.Rulebook] = field(default_factory=dict)
    under_way: list[str] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    main: ast.Rulebook | None = None

    def finish(self) -> core.Rulebook:
        checked = None
        if self.main is not None:
            incomplete = any(each.code in _UNREAD for each in self.diagnostics)
            wrong = {e.span for e in self.diagnostics if e.code == "RF105" and e.span is not None}
            with collector_at_rest():
                declarations, found = resolve(
                    list(self.finished.values()),
                    incomplete=incomplete,
                    wrong_literals=frozenset(wrong),
                )
                self.diagnostics.extend(found)
                checked, found = check(declarations, self.main, tuple(self.sources))
                self.diagnostics.extend(found)
        diagnostics = in_order(self.diagnostics)
        if checked is None or any(each.level is Level.ERROR for each in diagnostics):
            raise RulebookError(diagnostics)
        return replace(checked, warnings=diagnostics)

    def find(self, name: str, span: Span | None) -> None:
        """Reads the rulebook of a name from the first root that has it."""
        shipped = shipped_rulebooks()
        roots = [*self.roots, shipped]
        if not _NAME.fullmatch(name):
            self.diagnostics.append(say.unknown_rulebook(span, name[:80], [], _known(roots), None))
            return
        relative = Path(*name.split(".")).with_suffix(SUFFIX)
        for root in roots:
            if (root / relative).is_file():
                self.read(root / relative, name, span)
                return
        places = [str(root / relative) for root in self.roots]
        looked = [*places, f"{relative} among the shipped rulebooks"]
        here = str(relative) if span is None and relative.is_file() else None
        self.diagnostics.append(say.unknown_rulebook(span, name, looked, _known(roots), here))

    def read(self, path: Path, name: str | None, span: Span | None) -> None:
        try:
            if not path.is_file():
                raise FileNotFoundError(
                    None, "it is no file" if path.exists() else "it is not there"
                )
            with path.open("rb") as file:
                raw = file.read(_MOST_BYTES + 1)
        except OSError as mistake:
            reason = mistake.strerror or str(mistake)
            self.diagnostics.append(say.unreadable_rulebook(span, str(path), reason))
            return
        if len(raw) > _MOST_BYTES:
            beginning = Source(str(path), raw[:80].decode("utf-8-sig", "replace"))
            self.diagnostics.append(messages.file_too_large(Span(beginning, 0, 1), MOST_CHARACTERS))
            return
        source = source_of(raw, str(path))
        if isinstance(source, Diagnostic):
            self.diagnostics.append(source)
            return
        self.take(source, name, path.parent)

    def take(self, source: Source, name: str | None, folder: Path | None = None) -> None:
        """Parses one rulebook, then those that it uses."""
        self.sources.append(source)
        rulebook, found = build(parse(source))
        self.diagnostics.extend(found)
        header = rulebook.header
        own_name = header.name if header else name or source.path
        if header and name and header.name != name:
            self.diagnostics.append(
                say.misplaced_rulebook(header.span, header.name, source.path, name)
            )
        if self.main is None:
            self.main = rulebook
        if folder is not None:
            root = root_of(folder, own_name)
            if root not in self.roots:
                self.roots.insert(0, root)
        self.under_way.append(own_name)
        for used in header.uses if header else ():
            if used.text in self.under_way:
                circle = [*self.under_way[self.under_way.index(used.text) :], used.text]
                self.diagnostics.append(say.circle_of_uses(used.span, circle))
            elif len(self.under_way) > _MOST_USES:
                self.diagnostics.append(say.too_many_uses(used.span, _MOST_USES))
            elif used.text not in self.finished:
                self.find(used.text, used.span)
        self.under_way.pop()
        self.finished[own_name] = rulebook


def source_of(raw: bytes, path: str) -> Source | Diagnostic:
    """The text of a file, or why it is none."""
    try:
        return Source(path, raw.decode("utf-8-sig"))
    except UnicodeDecodeError as mistake:
        # The lines before the first bad byte are there to point at.
        good = raw[: mistake.start].decode("utf-8-sig")
        source = Source(path, good + "\ufffd")
        bad = Span(source, len(good), len(good) + 1)
        return messages.not_text(bad, "bytes that are no UTF-8")


def root_of(folder: Path, name: str) -> Path:
    """The folder under which `a.b` is `a/b.rules`; the file's own folder where it lies elsewhere."""
    parents: Sequence[str] = name.split(".")[:-1]
    root = folder
    for part in reversed(parents):
        if root.name != part:
            return folder
        root = root.parent
    return root


def names_under(roots: Iterable[Path], folders: int = 1) -> list[str]:
    """The names of all rulebooks below some roots, in at most so many folders within each other."""
    patterns = ["*/" * depth + "*" + SUFFIX for depth in range(folders + 1)]
    return sorted(
        {
            ".".join(path.relative_to(root).with_suffix("").parts)
            for root in roots
            if root.is_dir()
            for pattern in patterns  # WHY: a root may be a whole disk
            for path in root.glob(pattern)
        }
    )


def _known(roots: Iterable[Path]) -> list[str]:
    """The names that one may have meant; the shipped ones with the parts of a model."""
    return sorted({*names_under(roots), *names_under([shipped_rulebooks()], 2)})
