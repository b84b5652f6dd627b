"""Still pictures with all they hold beside their samples: EXIF, XMP, colour profiles, JPEG's own coding."""
