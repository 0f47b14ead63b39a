"""Suites: where tasks come from and how each suite grades them."""
