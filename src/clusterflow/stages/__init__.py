"""One function a stage: records in, one record out."""
