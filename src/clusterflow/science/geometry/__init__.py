"""Bonds, symmetry and molecules of any set of atoms."""
