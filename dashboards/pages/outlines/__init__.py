"""The outlines that maps are drawn on: all countries, and what an operator drops in."""
