"""Version of what each stage computes.

Snakemake does not see edits of this package. Each rule passes its stage's number as a
parameter: raise it when a change alters results, and all that depends on the stage
runs again. The changelog names every such step under "Changes results".
"""

PROTOCOL = {
    "build": 1,
    "level": 2,
    "relax": 3,
    "edges": 1,
    "gas": 2,
    "sites": 3,
    "adsorb": 4,
    "pool": 2,
    "vibrate": 3,
    "thermo": 1,
    "che": 2,
    "collect": 1,
    "report": 1,
}
