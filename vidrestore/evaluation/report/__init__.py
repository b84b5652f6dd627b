"""An evaluation as lines of text, JSON, CSV and a page."""

from vidrestore.evaluation.report.html_page import page
from vidrestore.evaluation.report.plain import to_csv, to_dict
from vidrestore.evaluation.report.plots import check_plots
from vidrestore.evaluation.report.table import table

__all__ = ["check_plots", "page", "table", "to_csv", "to_dict"]
