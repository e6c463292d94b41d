"""Who asks: people who sign in, programs with a token, and what stands in the way of guessing."""
