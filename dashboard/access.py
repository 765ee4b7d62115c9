"""Which page and which action asks for which permission. What is not in a table here is refused to everybody."""

from __future__ import annotations

from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING

from fleetflow.access import Permission, permissions_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fleetflow.access import Role

PAGES: Mapping[str, Permission] = MappingProxyType(
    {
        "overview": Permission.VIEW,
        "leaderboard": Permission.VIEW,
        "driver": Permission.VIEW,
        "trip": Permission.VIEW,
        "events": Permission.VIEW,
        "tuning": Permission.TUNE,
        "upload": Permission.UPLOAD,
        "operations": Permission.OPERATE,
        "administration": Permission.ADMINISTER,
        "audit": Permission.AUDIT,
    }
)
"""By the name of the file in app_pages/."""

ACTIONS: Mapping[str, Permission] = MappingProxyType(
    {
        "review_event": Permission.REVIEW,
        "review_events": Permission.REVIEW,
        "add_note": Permission.COACH,
        "withdraw_note": Permission.COACH,
        "apply_profile": Permission.TUNE,
        "activate_profile": Permission.TUNE,
        "cancel_run": Permission.TUNE,
        "begin_upload": Permission.UPLOAD,
        "note_uploaded": Permission.UPLOAD,
        "save_mapping": Permission.UPLOAD,
        "retry_failed": Permission.OPERATE,
        "add_account": Permission.ADMINISTER,
        "reset_account": Permission.ADMINISTER,
        "disable_account": Permission.ADMINISTER,
        "enable_account": Permission.ADMINISTER,
        "set_roles": Permission.ADMINISTER,
        "add_key": Permission.ADMINISTER,
        "rotate_key": Permission.ADMINISTER,
        "revoke_key": Permission.ADMINISTER,
        "edit_drivers": Permission.ADMINISTER,
        "edit_vehicles": Permission.ADMINISTER,
        "set_policy": Permission.ADMINISTER,
        "forget_policy": Permission.ADMINISTER,
        "export_driver": Permission.ADMINISTER,
        "begin_erasure": Permission.ADMINISTER,
        "erase_driver": Permission.ADMINISTER,
    }
)
"""By the name of the function in actions.py."""


def may_open(roles: Iterable[Role], page: str) -> bool:
    """Whether the roles allow a page, given by its file such as app_pages/trip.py."""
    return PAGES.get(PurePath(page).stem) in permissions_of(roles)


def may_do(roles: Iterable[Role], action: str) -> bool:
    """Whether the roles allow an action of actions.py."""
    return ACTIONS.get(action) in permissions_of(roles)
