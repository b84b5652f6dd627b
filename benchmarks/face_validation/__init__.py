"""How faithful restored faces of people held out are, beside plain filters: `python -m benchmarks.face_validation`."""
