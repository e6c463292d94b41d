"""The demonstration: a district that does not exist, run through the real edge agents, broker and service."""
