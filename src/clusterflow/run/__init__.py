"""A run of Snakemake: its start, its lock, its progress, its time."""
