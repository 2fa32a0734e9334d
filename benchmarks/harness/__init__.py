"""What all benchmarks share: the clock, the tables, the pictures, facts of the machine."""
