"""Contract figures and monthly reports: read from the stores, made, kept, printed and sent."""
