"""Who is on call, and who is asked next: pure questions to the directory."""
