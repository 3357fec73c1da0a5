"""The command ``clusterflow``, also as ``python -m clusterflow``."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command line, in a fork of a warm process where there is one."""
    if sys.argv[1:2] == ["--warm"]:
        from clusterflow.warm_server import serve

        serve(sys.argv[2])
        return 0
    # `warm.ADDRESS`, spelled out: the import takes as long as all else of `--help`.
    if "CLUSTERFLOW_WARM_PROCESS" in os.environ:
        from clusterflow.warm import ask

        code = ask(sys.argv[1:])
        if code is not None:
            return code
    from clusterflow.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
