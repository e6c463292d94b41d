"""What is kept, where, and moving it: archive, backup, restore, export."""
