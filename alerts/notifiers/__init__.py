"""Ways to tell: one file each, one row each in ``table``."""
