"""Structures and energies that people bring."""
