"""Version of what each stage computes.

Snakemake does not see edits of this package. Each rule passes its stage's number as a
parameter: raise it when a change alters results, and all that depends on the stage
runs again. The changelog names every such step under "Changes results".
"""

PROTOCOL = {
    "build": 1,
    "level": 1,
    "relax": 3,
    "edges": 1,
    "gas": 1,
    "sites": 1,
    "adsorb": 1,
    "pool": 1,
    "vibrate": 1,
    "thermo": 1,
    "che": 2,
    "collect": 1,
    "report": 1,
}
