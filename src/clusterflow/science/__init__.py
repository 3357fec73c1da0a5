"""Pure functions: no files, no engines, no clocks, no mutation of arguments."""
