"""A study before and while it runs: its plan, its check, its status, its library."""
