"""The measured programs: our services in parts, and the baselines, the least that does the same job."""

SECRET = b"bench-secret"
"""What bodies are signed with; both sides of a comparison know it."""
