"""The command line, one file a verb."""

from slalom.cli.app import app as app
from slalom.cli.app import main as main
