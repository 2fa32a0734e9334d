"""Three exercises for each lesson, in a file of its name, as `EXERCISES`."""
