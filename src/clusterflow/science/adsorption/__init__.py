"""Starts of an adsorbate, what became of them, and which minimum counts."""
