"""Money as people read it."""

import pytest

from mission_control.agents.amounts import exact_money, money


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0, "0.00 USD"), (1234.5, "1,234.50 USD"), (0.3789, "0.38 USD"), (0.0432, "0.043 USD"), (0.0996, "0.10 USD"),
        (0.000125, "0.00013 USD"), (0.0000004, "0.00 USD"),
    ],
)  # fmt: skip
def test_money_to_the_cent_and_small_sums_with_two_digits(usd: float, text: str) -> None:
    assert money(usd) == text


@pytest.mark.parametrize(("usd", "text"), [(0.125, "0.125 USD"), (2.5, "2.50 USD"), (0.000125, "0.000125 USD")])
def test_amounts_of_budgets_are_exact(usd: float, text: str) -> None:
    assert exact_money(usd) == text
