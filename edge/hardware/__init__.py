"""What several drivers share of the machine: threads for calls that block, libraries that may be missing, buses."""
