"""whole_views: the tables of the data -> the same and every view, made when it is first looked at

An evaluation makes the columns of a view that its rules read. An explanation shows rows of it, and
says what became of rows that it leaves out, so a view is made whole here, with where its rows come
from.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from ruleforge.engine.admit import AdmittedPart, AdmittedTable
from ruleforge.engine.host_functions import HostFunctions
from ruleforge.engine.needs import Supply
from ruleforge.engine.plan import ROW
from ruleforge.engine.polars_backend import PolarsBackend
from ruleforge.engine.views import view_rows
from ruleforge.language import core

SOURCE = "#source"  # the number of the row of which a row of a view is made, in its table


@dataclass(frozen=True)
class TablesAndViews(Mapping[str, AdmittedTable]):
    """The tables of a supply by their names. A view without `group by` has the column `SOURCE`."""

    views: Mapping[str, core.View]
    supply: Supply
    functions: HostFunctions
    _made: dict[str, AdmittedTable] = field(default_factory=dict)

    def __getitem__(self, name: str) -> AdmittedTable:
        table = self.supply.tables[name]
        if name not in self.views:
            return table
        if name not in self._made:
            # NOTE: a view that this one reads is asked of this very mapping, and made before.
            schema, parameters = self.supply.schema, self.supply.parameters
            backend = PolarsBackend(self, schema, parameters, self.functions)
            frame = view_rows(
                self.views[name], table.supplied, backend, table.unusable, numbered=True
            )
            frame = frame.rename({ROW: SOURCE}, strict=False)
            columns = {each: pl.col(each) for each in frame.columns}
            part = AdmittedPart(frame.lazy(), columns)
            self._made[name] = replace(table, parts=(part,), source=None, held=None)
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self.supply.tables

    def __iter__(self) -> Iterator[str]:
        return iter(self.supply.tables)

    def __len__(self) -> int:
        return len(self.supply.tables)
