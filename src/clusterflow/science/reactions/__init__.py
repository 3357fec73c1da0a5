"""From free energies of species to networks, profiles and potentials."""
