"""Gates: finished records, recomputed by other means."""
