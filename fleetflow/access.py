"""Who may do what: roles, permissions, and the one table between them. What is not granted here is refused."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from fleetflow.errors import FleetFlowError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Role(StrEnum):
    """What a person is there for; a person may have several."""

    FLEET_MANAGER = "fleet_manager"
    SAFETY_OFFICER = "safety_officer"
    ADMIN = "admin"


class Permission(StrEnum):
    """What may be allowed or not."""

    SIGN_IN = "sign in"
    VIEW = "view drivers, trips and scores"
    UPLOAD = "upload trips"
    TUNE = "tune thresholds and re-score"
    REVIEW = "review events"
    COACH = "coach drivers"
    OPERATE = "operate FleetFlow"
    ADMINISTER = "manage accounts, keys and the roster"
    AUDIT = "read the audit log"


class Scope(StrEnum):
    """What an API key is good for."""

    WRITE = "write"
    READ = "read"


class AccessDeniedError(FleetFlowError):
    """The person is not signed in, or has no role that allows it; an admin may give one."""


EVERYBODY = frozenset({Permission.SIGN_IN, Permission.VIEW, Permission.COACH})
GRANTS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.FLEET_MANAGER: EVERYBODY | {Permission.UPLOAD, Permission.TUNE},
        Role.SAFETY_OFFICER: EVERYBODY | {Permission.REVIEW},
        Role.ADMIN: frozenset(Permission),
    }
)


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """All that any of the roles allows."""
    return frozenset().union(*(GRANTS[role] for role in roles))
