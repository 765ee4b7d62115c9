"""Whom single sign-on brings. Apart from the sign-on itself, which only an installation with a provider loads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetflow.errors import FleetFlowError

if TYPE_CHECKING:
    from fleetflow.access import Role


class SignOnError(FleetFlowError):
    """Signing on did not work; the person tries again, or asks whoever gives out roles at the provider."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody whom the provider vouches for. `subject` never changes, the name may."""

    subject: str
    name: str
    roles: frozenset[Role]
