"""Finished records as tables, answers and figures."""
