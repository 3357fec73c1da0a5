"""What `from clusterflow import …` gives: a study, and single steps of one."""
