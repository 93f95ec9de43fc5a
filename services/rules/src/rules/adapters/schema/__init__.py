"""The rule document as people write it."""
