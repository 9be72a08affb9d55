"""Ends the process while it is imported."""

import sys

sys.exit("this computer is not good enough for me")
