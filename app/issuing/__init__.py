"""Issuing what lets nodes in: certificates, passwords, tokens, and the broker's configuration that goes with them."""
