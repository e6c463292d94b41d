"""Followers of the journal that bring what it keeps to other stores."""
