"""A site to sign in to over HTTP: its address, its database, and what a browser sends."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import sqlalchemy as sa

from dashboard.signin.gate import COOKIE
from fleetflow.storage import registers
from fleetflow.storage.database import connection, create_engine
from tests.support.people import PASSWORD
from tests.support.ports import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = {"Accept": "text/html,application/xhtml+xml"}
OTHER = {"Accept": "*/*"}


@dataclass(frozen=True)
class Site:
    """Whatever is served behind the gate, and its database."""

    base: str
    url: str
    engine: sa.Engine

    def client(self, token: str | None = None, **options: Any) -> httpx.Client:
        cookies = {COOKIE: token} if token else None
        headers = {"Origin": self.base, **options.pop("headers", {})}
        return httpx.Client(base_url=self.base, cookies=cookies, headers=headers, timeout=30, **options, verify=PLAIN)

    def execute(self, statement: str, **values: object) -> None:
        with connection(self.engine) as conn:
            conn.execute(sa.text(statement), values)

    def log_of(self, text: str) -> list[tuple[str, str]]:
        """Action and subject of the entries that hold the text, the oldest first."""
        with connection(self.engine) as conn:
            found = registers.list_audit_entries(conn, text=text).iloc[::-1]
        return list(zip(found["action"], found["subject"], strict=True))

    def sign_in(self, client: httpx.Client, name: str, password: str = PASSWORD, **more: str) -> httpx.Response:
        return client.post("/login", data={"name": name, "password": password, **more}, headers=PAGE)


@contextmanager
def site_at(base: str, url: str) -> Iterator[Site]:
    """The site that is served at an address from a database."""
    engine = create_engine(url, application_name="test")
    yield Site(base, url, engine)
    engine.dispose()
