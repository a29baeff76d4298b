"""`python -m ruleforge`"""

import sys

from ruleforge.cli import main

sys.exit(main())
