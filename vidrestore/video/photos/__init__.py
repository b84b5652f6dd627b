"""Photos with their metadata: EXIF, XMP, colour profiles, and the coding of JPEG."""
