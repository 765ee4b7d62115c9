"""What slows down guessing, with a clock of its own."""

from __future__ import annotations

from dashboard.signin.throttle import REFILL_S, TRIES_OF_ACCOUNT, TRIES_OF_ADDRESS, TRIES_OF_BOTH, Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def admitted(throttle: Throttle, tries: list[tuple[str, str]]) -> int:
    return sum(throttle.admit(account, address) == 0 for account, address in tries)


def test_an_address_that_tries_many_names_is_slowed():
    tries = [(f"name {number}", "192.0.2.1") for number in range(100)]
    throttle = Throttle(Clock())
    assert admitted(throttle, tries) == TRIES_OF_ADDRESS
    assert throttle.admit("name 1", "192.0.2.2") == 0


def test_a_name_that_is_tried_from_many_addresses_is_slowed_and_no_other():
    tries = [("ann", f"192.0.2.{number}") for number in range(100)]
    throttle = Throttle(Clock())
    assert admitted(throttle, tries) == TRIES_OF_ACCOUNT
    assert throttle.admit("bob", "192.0.2.1") == 0


def test_the_wait_that_is_told_is_the_right_one():
    clock = Clock()
    throttle = Throttle(clock)
    assert admitted(throttle, [("ann", "192.0.2.1")] * 10) == TRIES_OF_BOTH
    wait_s = throttle.admit(" ANN ", "192.0.2.1")
    assert 0 < wait_s <= REFILL_S / TRIES_OF_BOTH
    clock.now += wait_s - 0.1
    assert throttle.admit("ann", "192.0.2.1") > 0
    clock.now += 0.2
    assert throttle.admit("ann", "192.0.2.1") == 0


def test_who_knows_the_password_is_not_slowed():
    throttle = Throttle(Clock())
    for _ in range(100):
        assert throttle.admit("ann", "192.0.2.1") == 0
        throttle.forgive("ann", "192.0.2.1")


def test_an_attack_is_reported_once_while_it_lasts():
    clock = Clock()
    throttle = Throttle(clock)
    assert [throttle.is_news("192.0.2.1") for _ in range(3)] == [True, False, False]
    assert throttle.is_news("192.0.2.2")
    clock.now += REFILL_S + 1
    assert throttle.is_news("192.0.2.1")
