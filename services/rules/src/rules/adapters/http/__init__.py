"""The configuration API."""
