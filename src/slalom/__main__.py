"""`python -m slalom` does what `slalom` does."""

from slalom.cli import main

main()
