"""One module for each dashboard: which question it answers, with which panels, from top to bottom."""
