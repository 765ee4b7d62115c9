"""Logs: one JSON object a line on standard error, each with its program; trips are named by `trip_id`."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer

if TYPE_CHECKING:
    from structlog.typing import ExcInfo

DETAIL = "\nDETAIL:"
"""From here on Postgres quotes the row that it refuses."""


class _WithoutValues(ExceptionDictTransformer):
    """Tracebacks that say where, and nothing of what was in hand there: passwords, keys, drivers."""

    def __init__(self) -> None:
        super().__init__(show_locals=False)

    def __call__(self, exc_info: ExcInfo) -> list[dict[str, Any]]:
        return [
            {**each, "exc_value": str(each["exc_value"]).partition(DETAIL)[0]} for each in super().__call__(exc_info)
        ]


def configure(program: str, level: str) -> None:
    """Send structlog's and the libraries' lines the same way. Called once, in a program's main."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        _name(program),
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = [
        structlog.processors.ExceptionRenderer(_WithoutValues()),
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)


def _name(program: str) -> structlog.typing.Processor:
    def add_program(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {**event, "program": program}

    return add_program
