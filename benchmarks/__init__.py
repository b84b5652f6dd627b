"""What is measured by hand and not in the tests.

`python -m benchmarks` measures speed and memory, all of it or by groups, into benchmarks.json and .svg. The
others run as `python -m benchmarks.NAME`; `--help` explains each. CONTRIBUTING.md lists them by question.
"""
