"""`rnnviz train` and `rnnviz eval` as a person uses them: lines, exit codes, Ctrl-C, resuming."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from rnnviz.store.errors import AlreadyExists, InvalidRequest, InvalidRun, InvalidText, NotFound, RnnvizError
from rnnviz.tui.cli import app
from support.texts import write_words
