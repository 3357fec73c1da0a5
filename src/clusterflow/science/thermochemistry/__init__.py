"""From energies and vibrations to free energies of species."""
