"""Seeded fuzzing: files of all kinds that the program reads, mutated, and how the program ends for each.

`pytest tests/fuzz` tries a few of each kind. `python -m tests.fuzz --cases 200 --seed 7` tries many, and
prints how they ended; VIDRESTORE_FUZZ_CASES and VIDRESTORE_FUZZ_SEED do the same for pytest.
"""
