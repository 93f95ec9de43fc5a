"""The archive and the back-tests on it."""
