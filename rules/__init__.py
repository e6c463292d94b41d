"""Readings in, episodes out: pure, no I/O, no asyncio."""
