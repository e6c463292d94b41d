"""What people answer: from a text somebody wrote to what it means, what it does, and the reply."""
