"""How alerting does: times, loads and messages of a period, for managers."""
