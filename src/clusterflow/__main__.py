"""``python -m clusterflow`` is the command ``clusterflow``."""

import sys

from clusterflow.cli import main

sys.exit(main())
