"""Writes docs/openapi.json from the operations of `vidrestore web`.

    python docs/write_openapi.py

A test compares the file with what this script gives. It needs the extra `[web]`.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

FILE = Path(__file__).with_name("openapi.json")


def openapi_text() -> str:
    """The text of docs/openapi.json."""
    from vidrestore.web.dropped_files import DroppedFiles
    from vidrestore.web.file_roots import FileRoots
    from vidrestore.web.job_runner import JobRunner
    from vidrestore.web.media import MediaWorker
    from vidrestore.web.openapi import openapi_document
    from vidrestore.web.service import Service

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        service = Service(FileRoots([folder]), JobRunner(folder), MediaWorker(), DroppedFiles(folder))
        document = openapi_document(service.operations())
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(openapi_text(), encoding="utf-8")
