"""DaVinci Resolve: a script of the Workspace menu. Selected clips in, restored takes out.

`vidrestore integrations install` copies this folder; there it is the package `vidrestore_host.resolve`, so
its modules import each other relatively. Python 3.7 or later, the standard library alone.
"""
