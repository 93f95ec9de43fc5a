"""Draws that anyone can repeat: entries in a Merkle tree, a seed committed beforehand, a certificate that proves both."""
