"""Passwords: argon2id, and the rule for new ones. A check costs some 0.15 s and 64 MiB on purpose."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fleetflow.errors import FleetFlowError

SHORTEST, LONGEST = 12, 200
"""Characters of a password; a longer one only costs time."""

_hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)


class PasswordRefusedError(FleetFlowError):
    """The new password is not one that is taken; its owner chooses another."""


def hash_password(password: str) -> str:
    """The password as argon2id with a salt of its own."""
    return _hasher.hash(password)


DECOY = "$argon2id$v=19$m=65536,t=3,p=1$" + "c29tZSBkZWNveSBzYWx0" + "$" + "A" * 43
"""Nobody's hash: checking against it takes as long as checking against anybody's."""


def check_password(password: str, password_hash: str | None) -> bool:
    """Whether the password fits; without a hash (an unknown account) it never does, and takes as long."""
    try:
        matches = _hasher.verify(password_hash or DECOY, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return matches and password_hash is not None


def check_new_password(password: str, account_name: str) -> None:
    """Raises PasswordRefusedError for one that is too short, too long, of few characters, or the account's name."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordRefusedError(f"A password has {SHORTEST} to {LONGEST} characters.")
    if len(set(password)) < SHORTEST // 3 or account_name.casefold() in password.casefold():
        raise PasswordRefusedError("That password is too easy to guess; a few random words make a good one.")


def random_password() -> str:
    """One that nobody guesses, in groups that can be typed."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))
