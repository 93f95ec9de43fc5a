"""The measured programs: our services in parts, and the baselines, the least that does the same job."""

SECRET = b"bench-secret"
"""What bodies are signed with; both sides of a comparison know it."""

LINK_KEY = b"bench" * 6 + b"ke"
LINK_BRAND, LINK = "bench", "shipping-page"
"""Signs and names the tracked link that is followed."""
