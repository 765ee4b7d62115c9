"""Rows of the database as a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    import sqlalchemy as sa


def frame_of(result: sa.CursorResult[Any]) -> pd.DataFrame:
    """All rows under the names of their columns, with whatever types pandas finds.

    As plain tuples: pandas asks what it is given for attributes, and a row of SQLAlchemy's looks each up among the
    columns, which takes longer than the rest.
    """
    return pd.DataFrame.from_records([tuple(row) for row in result], columns=list(result.keys()))
