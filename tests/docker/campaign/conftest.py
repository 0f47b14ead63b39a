"""Runs that are disturbed, against the real daemon."""

from tests.docker.cli.conftest import evalkit
from tests.docker.sandbox.conftest import containers, repository

__all__ = ["containers", "evalkit", "repository"]
