"""Bare clusters: their shapes, ligands, supports, electrons and spins."""
