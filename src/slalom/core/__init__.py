"""What everything stands on: errors, specs, files, words on a terminal."""
