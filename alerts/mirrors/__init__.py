"""Places that show the state of the alerts rather than tell of events: one file each."""
