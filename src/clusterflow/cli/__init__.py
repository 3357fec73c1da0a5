"""The command ``clusterflow``: each verb parses, calls one function and maps errors."""
