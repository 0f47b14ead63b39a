"""Judgement: pure functions from evidence to verdict, no I/O, clock or randomness."""
