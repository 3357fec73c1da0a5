"""The command ``clusterflow``, also as ``python -m clusterflow``."""

from __future__ import annotations

import gc
import os
import sys


def main() -> int:
    """Run the command line, in a fork of a warm process where there is one."""
    # Most of what a short command takes is imports, and a sixth of that these two:
    # collections among objects that stay, and a search of all packages for plugins.
    gc.set_threshold(200_000, 50, 100)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    if sys.argv[1:2] == ["--warm"]:
        from clusterflow.cli.fork_server import serve

        serve(sys.argv[2])
        return 0
    # `fork_client.ADDRESS`, spelled out: the import takes as long as the help.
    if "CLUSTERFLOW_WARM_PROCESS" in os.environ:
        from clusterflow.run.fork_client import run_in_fork

        code = run_in_fork(sys.argv[1:])
        if code is not None:
            return code
    from clusterflow.cli.app import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
