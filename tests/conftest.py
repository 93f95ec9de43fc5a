"""Fixtures of the whole suite."""

pytest_plugins = ["antiphon_local.fixtures"]
