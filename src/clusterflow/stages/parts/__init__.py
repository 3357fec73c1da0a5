"""What stages are made of: a job and its scratch, relaxation, Hessians, searches."""
