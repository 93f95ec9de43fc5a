"""Draws that anyone can repeat: entries in a Merkle tree, a seed committed beforehand, a certificate that proves both."""

from contest.certificate import Beacon, Contest, make_certificate
from contest.draw import SEED_BYTES, Unusable, commitment_of
from contest.merkle import root_of_entries
from contest.reading import Finding, Malformed, load
from contest.verify import Standing, standing, verify

__all__ = [
    "SEED_BYTES",
    "Beacon",
    "Contest",
    "Finding",
    "Malformed",
    "Standing",
    "Unusable",
    "commitment_of",
    "load",
    "make_certificate",
    "root_of_entries",
    "standing",
    "verify",
]
