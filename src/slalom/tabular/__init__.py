"""From a table to a model with an honest score."""
