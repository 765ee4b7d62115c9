"""How this machine reaches its own servers."""

from __future__ import annotations


def local_url(host: str, port: int) -> str:
    """The address of a server that listens on `host`, which may stand for all of the machine's addresses."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://{f'[{local}]' if ':' in local else local}:{port}"
