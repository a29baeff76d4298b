"""read: Schema, paths -> Revision

Each file goes to the tables whose file clauses match its name, in the format that its extension (or
`element`) says. A file that several tables want as XML is parsed once. What cannot be read is a
refusal in the revision; the other files are unaffected. An exception means that the call is wrong:
a path that is not there, a column that no table has.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from ruleforge.engine.revision import FileRecord, Part, Refusal, Revision
from ruleforge.intake.content import Content, refused_file
from ruleforge.intake.delimited import read_delimited
from ruleforge.intake.edfi import Wanted, column_paths, read_interchange
from ruleforge.intake.error import IntakeError, UnknownColumnError
from ruleforge.intake.tabular import read_tabular
from ruleforge.language.schema import FileClause, Schema, Table
from ruleforge.language.suggest import nearest
from ruleforge.language.xml_path import PathError

Progress = Callable[[str, int, int], None]


def read(
    schema: Schema,
    path: str | Path | Sequence[str | Path],
    *,
    name: str | None = None,
    blank: Iterable[str] = (),
    datasets: Mapping[str, str | Path | Sequence[str | Path]] | None = None,
    progress: Progress | None = None,
) -> Revision:
    """The revision that a folder (with all below it), a file, or several of them hold, with the
    datasets that others hold.

    Columns keep the text of the file (Parquet: its types) under their declared names. `blank` names
    columns (`"enrollment.exit_date"`) that the data has and that are blank everywhere. The revision
    is called `name`, else like the first path. Hidden files in a folder are passed over. Raises
    `IntakeError`. `progress` is told the file, the bytes read so far and the bytes of all files.
    """
    blanks = frozenset(blank)
    _check_blank(schema, blanks)
    _check_clauses(schema)
    places = {"": _roots(path)}
    for dataset, other in (datasets or {}).items():
        if dataset not in schema.datasets:
            known = ", ".join(schema.datasets) or "none"
            raise IntakeError(f"the rulebook declares no dataset `{dataset}`; it has {known}")
        places[dataset] = _roots(other)
    files = [(dataset, file) for dataset, roots in places.items() for file in _files(roots)]
    parts: dict[str, dict[str, list[Part]]] = {dataset: {} for dataset in places}
    records: list[FileRecord] = []
    refusals: list[Refusal] = []
    done, total = 0, sum(_size(file) for _, file in files) if progress is not None else 0
    for dataset, file in files:
        if progress is not None:
            progress(str(file), done, total)
        content, record = _read_file(schema, file)
        done += record.size
        records.append(_of_dataset(record, dataset))
        refusals += [_refused_of_dataset(each, dataset) for each in content.refusals]
        for table, part in content.parts.items():
            parts[dataset].setdefault(table, []).append(part)
    tables = {
        dataset: {table: tuple(found[table]) for table in schema.tables if table in found}
        for dataset, found in parts.items()
    }
    return Revision(
        name=places[""][0].resolve().stem if name is None else name,
        tables=tables.pop(""),
        datasets=tables,
        files=tuple(records),
        refusals=tuple(refusals),
        blank=blanks,
    )


def _roots(path: str | Path | Sequence[str | Path]) -> list[Path]:
    roots = [Path(path)] if isinstance(path, str | Path) else [Path(each) for each in path]
    if not roots:
        raise IntakeError("no path is given; name a file or a folder")
    return roots


def _of_dataset(record: FileRecord, dataset: str) -> FileRecord:
    """What was read for a dataset belongs to its tables."""
    if not dataset:
        return record
    return replace(record, tables=tuple(f"{dataset}.{table}" for table in record.tables))


def _refused_of_dataset(refusal: Refusal, dataset: str) -> Refusal:
    if not dataset or refusal.table is None:
        return refusal
    return replace(refusal, table=f"{dataset}.{refusal.table}")


def _check_blank(schema: Schema, blank: Iterable[str]) -> None:
    known = {
        f"{table.name}.{column.name}"
        for table in (*schema.tables.values(), *schema.derived.values())
        if not table.label
        for column in table.columns
    }
    for each in sorted(blank):
        if each not in known:
            near = nearest(each, known)
            hint = (
                f"did you mean `{near}`?"
                if near
                else "write table and column, like `enrollment.exit_date`."
            )
            raise UnknownColumnError(f"`{each}` in `blank` is no column of the rulebook; {hint}")


def _check_clauses(schema: Schema) -> None:
    for table in schema.tables.values():
        for clause in table.files:
            if len(clause.delimiter) != 1 or clause.delimiter in '"\r\n\0\ufeff':
                raise IntakeError(
                    f"table `{table.name}`: `{clause.pattern}` is delimited by"
                    f" {clause.delimiter!r}, where one character is needed that is neither a"
                    ' quote nor a line end; write one, like `delimited "^"`.'
                )
            if clause.element is not None:
                try:
                    for column in table.columns:
                        column_paths(column)
                except PathError as mistake:
                    raise IntakeError(f"table `{table.name}`: {mistake}") from None


def _files(roots: Iterable[Path]) -> Iterator[Path]:
    """Each file once, those of a folder sorted by their path."""
    seen: set[Path] = set()
    for root in roots:
        if not root.exists():
            raise IntakeError(
                f"there is no file or folder `{root}`; check the path (from `{Path.cwd()}`)."
            )
        for file in _below(root) if root.is_dir() else (root,):
            if (resolved := file.resolve()) not in seen:
                seen.add(resolved)
                yield file


def _below(folder: Path) -> Iterator[Path]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if not each.startswith(".")]
        found += [Path(place, each) for each in names if not each.startswith(".")]
    return (file for file in sorted(found) if file.is_file())


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0  # said when it is read


def _read_file(schema: Schema, file: Path) -> tuple[Content, FileRecord]:
    size, sha256 = 0, ""
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        content = _content(schema, file)
    except OSError as mistake:
        content = refused_file(f"the file cannot be read: {mistake.strerror or mistake}", str(file))
    record = FileRecord(
        path=str(file),
        tables=content.tables,
        size=size,
        sha256=sha256,
        rows=content.rows,
        refused=content.refused,
        complete=content.complete,
    )
    return content, record


def _content(schema: Schema, file: Path) -> Content:
    contents: list[Content] = []
    wanted: list[Wanted] = []
    for table in schema.tables.values():
        clauses = [clause for clause in _clauses(table) if _matches(clause, file)]
        elements = [Wanted(table, clause) for clause in clauses if clause.element is not None]
        wanted += elements
        if clauses and not elements:
            contents.append(_flat(file, table, clauses[0]))
    if wanted:
        contents.insert(0, read_interchange(file, wanted))
    return _together(contents)


def _clauses(table: Table) -> tuple[FileClause, ...]:
    return table.files or (FileClause(f"{table.name}.csv"), FileClause(f"{table.name}.parquet"))


def _matches(clause: FileClause, file: Path) -> bool:
    return fnmatchcase(file.name.casefold(), clause.pattern.casefold())


def _flat(file: Path, table: Table, clause: FileClause) -> Content:
    extension = file.suffix.casefold()
    if extension == ".xml":
        reason = f"the file clause `{clause.pattern}` does not say which element is a row"
        return refused_file(f'{reason}; add `element "…"`', str(file), table.name)
    if extension == ".parquet":
        return read_tabular(file, table, clause)
    return read_delimited(file, table, clause)


def _together(contents: Sequence[Content]) -> Content:
    """One content of a file that several tables read; its lines, the same for all, count once."""
    if len(contents) < 2:
        return contents[0] if contents else Content()
    counted = max(contents, key=lambda each: each.rows + each.refused)
    return Content(
        tables=tuple(table for each in contents for table in each.tables),
        parts={name: part for each in contents for name, part in each.parts.items()},
        rows=counted.rows,
        refused=counted.refused,
        refusals=tuple(refusal for each in contents for refusal in each.refusals),
        complete=all(each.complete for each in contents),
    )
