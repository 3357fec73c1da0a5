"""The imperative shell: one function a verb, records in, one record out."""
