"""Figures of finished results, each with the table of what it shows."""
