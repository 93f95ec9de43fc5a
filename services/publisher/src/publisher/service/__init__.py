"""The use cases: take decisions in, send, find out what became of it, tell the others."""
