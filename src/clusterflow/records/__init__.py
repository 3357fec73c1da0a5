"""What stages leave behind: one record each, and its way to and from files."""
