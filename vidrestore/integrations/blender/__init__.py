"""Blender: an extension for the video sequencer. It restores selected movie strips and puts the
results on the channels above them.

`vidrestore integrations install` copies this folder into the extension's package, so its modules use relative
imports. They need Python 3.11 or later, and import only the standard library and Blender's own modules.
"""
