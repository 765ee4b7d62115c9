"""Parquet by Arrow and the first sheet of a workbook by openpyxl, both measured before they are read."""

from __future__ import annotations

import io
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from fleetflow.importers.table import (
    FileLimits,
    FileRefusedError,
    Refusals,
    Table,
    check_columns,
    check_rows,
    column_of,
    printable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKBOOK = "xl/workbook.xml"


def read_parquet(content: bytes, limits: FileLimits) -> Table:
    """The flat columns; nested and binary ones are left out and named. Raises FileRefusedError."""
    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        check_rows(file.metadata.num_rows, limits)
        check_columns(file.schema_arrow.names, limits)
        flat = [field.name for field in file.schema_arrow if not _is_nested(field.type)]
        table = file.read(columns=flat)
    except (pa.ArrowException, OSError):
        raise FileRefusedError("The Parquet file is damaged.") from None
    left = [name for name in file.schema_arrow.names if name not in flat]
    notes = (f"Left out, as they hold no single values: {', '.join(map(printable, left))}.",) if left else ()
    columns = {name: _plain(table.column(name)) for name in flat}
    return Table("Parquet", columns, np.arange(1, table.num_rows + 1), Refusals(), notes=notes)


def _is_nested(kind: Any) -> bool:
    return bool(pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _plain(column: Any) -> Any:
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column


def read_workbook(content: bytes, limits: FileLimits) -> Table:
    """The first sheet, its first row the header, formulas by their last value. Raises FileRefusedError."""
    import openpyxl  # noqa: PLC0415  # it takes longer to load than all else that reads files

    _check_archive(content, limits)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on styles that it does not know
        try:
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            sheet: Any = book.worksheets[0]
            rows = list(_rows(sheet, limits))
        except (KeyError, ValueError, TypeError, IndexError, zipfile.BadZipFile):
            raise FileRefusedError("The workbook is damaged.") from None
    if not rows:
        raise FileRefusedError("The first sheet is empty.")
    header = [str(name).strip() if name is not None else "" for name in rows[0][1]]
    check_columns([name for name in header if name], limits)
    body = [(line, row) for line, row in rows[1:] if any(cell is not None for cell in row)]
    check_rows(len(body), limits)
    columns = {
        name: _cells([row[at] if at < len(row) else None for _, row in body]) for at, name in enumerate(header) if name
    }
    return Table("Excel workbook", columns, np.array([line for line, _ in body], dtype=np.int64), Refusals())


def _rows(sheet: Any, limits: FileLimits) -> Iterator[tuple[int, tuple[Any, ...]]]:
    for line, row in enumerate(sheet.iter_rows(values_only=True, max_col=limits.max_columns + 1), 1):
        if line > limits.max_rows:
            check_rows(line, limits)
        yield line, row


def _cells(values: list[Any]) -> Any:
    """Times as Arrow times where all are; else as plain values."""
    try:
        column = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return column_of(
            [str(value) if value is not None and not isinstance(value, int | float) else value for value in values]
        )
    return column if pa.types.is_temporal(column.type) else column_of(values)


def _check_archive(content: bytes, limits: FileLimits) -> None:
    """A workbook is a ZIP archive: it must be one, and must not unpack to more than a file may."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if WORKBOOK not in archive.namelist():
                raise FileRefusedError("This is a ZIP archive; archives are not accepted, unpack it first.")
            if sum(entry.file_size for entry in archive.infolist()) > limits.max_unpacked_bytes:
                raise FileRefusedError(f"The workbook unpacks to more than {limits.max_unpacked_bytes / 1e6:,.0f} MB.")
    except zipfile.BadZipFile:
        raise FileRefusedError("The ZIP archive is damaged.") from None
