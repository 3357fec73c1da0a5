"""The report: what a person reads of a study, in one page."""
