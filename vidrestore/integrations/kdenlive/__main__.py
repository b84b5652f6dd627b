"""`python -m vidrestore.integrations.kdenlive SOURCE OUTPUT [options of restore]`."""

import sys

from vidrestore.integrations.kdenlive.clip_job import run_clip_job

if __name__ == "__main__":
    sys.exit(run_clip_job(sys.argv[1:], sys.stderr))
