"""How sure potentials and rankings are: deviations, samples, comparisons."""
