"""Money as people read it."""

import pytest

from mission_control.core.amounts import amount_of, exact_money, money, used_of


@pytest.mark.parametrize(("usd", "text"), [
    (0, "0.00 USD"), (1234.5, "1,234.50 USD"), (0.3789, "0.38 USD"), (0.0432, "0.043 USD"), (0.0996, "0.10 USD"),
    (0.000125, "0.00013 USD"), (0.0000004, "0.00 USD"),
])  # fmt: skip
def test_money_to_the_cent_and_small_sums_with_two_digits(usd: float, text: str) -> None:
    assert money(usd) == text


@pytest.mark.parametrize(("usd", "text"), [(0.125, "0.125 USD"), (2.5, "2.50 USD"), (0.000125, "0.000125 USD")])
def test_amounts_of_budgets_are_exact(usd: float, text: str) -> None:
    assert exact_money(usd) == text


def test_what_is_used_of_a_limit_has_two_digits() -> None:
    assert f"{used_of('cost', 0.641269)} of {amount_of('cost', 0.125)}" == "0.64 USD of 0.125 USD"
    assert used_of("tokens", 12_345) == amount_of("tokens", 12_345) == "12,345 tokens"
