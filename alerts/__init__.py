"""Episodes in, people told: life cycle, outbox, messages, notifiers."""
