"""An evaluation as lines of text, JSON, CSV and a page."""

from vidrestore.evaluation.report.html_page import page
from vidrestore.evaluation.report.plain import to_csv, to_dict
from vidrestore.evaluation.report.table import table

__all__ = ["page", "table", "to_csv", "to_dict"]
