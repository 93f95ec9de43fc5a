"""Recorded events, decided again."""
