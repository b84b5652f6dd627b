"""Detection of interlacing, and processing of fields."""
