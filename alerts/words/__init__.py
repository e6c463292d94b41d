"""What messages say, in the languages of those who read them."""
