"""Places on a cluster where an adsorbate can sit."""
