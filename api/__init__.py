"""HTTP: translate and call, no decisions."""
