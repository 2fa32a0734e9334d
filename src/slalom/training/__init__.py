"""A training under way: its frames and its progress."""
