"""Roles, permissions and passwords."""

from __future__ import annotations

import time

import pytest

from fleetflow import passwords
from fleetflow.access import GRANTS, Permission, Role, permissions_of
from fleetflow.passwords import PasswordRefusedError


def test_every_role_is_in_the_table():
    assert set(GRANTS) == set(Role)


def test_an_admin_may_do_everything():
    assert permissions_of([Role.ADMIN]) == set(Permission)


def test_the_table_says_what_the_roles_are_for():
    manager, officer = permissions_of([Role.FLEET_MANAGER]), permissions_of([Role.SAFETY_OFFICER])
    assert manager - officer == {Permission.UPLOAD, Permission.TUNE}
    assert officer - manager == {Permission.REVIEW}


def test_several_roles_add_up_and_none_allows_nothing():
    assert permissions_of([Role.FLEET_MANAGER, Role.SAFETY_OFFICER]) == (
        GRANTS[Role.FLEET_MANAGER] | GRANTS[Role.SAFETY_OFFICER]
    )
    assert permissions_of([]) == frozenset()


def test_a_password_fits_its_own_hash_only():
    stored = passwords.hash_password("correct horse battery")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert passwords.check_password("correct horse battery", stored)
    assert not passwords.check_password("correct horse batterz", stored)
    assert not passwords.check_password("", stored)
    assert not passwords.check_password("anything", "no hash at all")


def test_an_unknown_account_costs_as_much_time_as_a_known_one():
    stored = passwords.hash_password("correct horse battery")

    def seconds(password_hash: str | None) -> float:
        started = time.process_time()  # the processor may be another's meanwhile
        assert not passwords.check_password("a wrong password", password_hash)
        return time.process_time() - started

    pairs = [(seconds(stored), seconds(None)) for _ in range(5)]
    known, unknown = (min(each) for each in zip(*pairs, strict=True))
    assert 0.6 < unknown / known < 1.6


@pytest.mark.parametrize("password", ["short", "x" * 201, "aaaaaaaaaaaaaaaa", "annannannann", "my name is Ann B"])
def test_a_password_that_is_easy_to_guess_is_refused(password):
    with pytest.raises(PasswordRefusedError):
        passwords.check_new_password(password, "ann")


def test_a_random_password_is_a_good_one_and_never_the_same():
    made = {passwords.random_password() for _ in range(50)}
    assert len(made) == 50
    for each in made:
        passwords.check_new_password(each, "marlo")  # has letters that none of them has
