"""Local alarms: the node judges its own readings, and makes itself heard where the service cannot be reached."""
