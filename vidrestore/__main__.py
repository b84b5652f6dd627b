"""`python -m vidrestore` is `vidrestore`."""

import sys

from vidrestore.cli import main

if __name__ == "__main__":
    sys.exit(main())
