"""A test for each capture in flows/: no call fails, and each goes as its golden file says.

After a change that is right: sipexplain check --golden flows/golden --bless flows/*.pcap
"""

import os
import subprocess
from pathlib import Path

import pytest

FLOWS = Path(os.environ.get("FLOWS", "flows"))
PROGRAM = os.environ.get("SIPEXPLAIN", "sipexplain")
CAPTURES = sorted(path for path in FLOWS.iterdir() if path.suffix in {".pcap", ".pcapng", ".log"})


def sipexplain(*arguments):
    run = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, errors="replace")
    assert run.returncode == 0, "\n" + run.stdout + run.stderr


def test_every_recording_is_there():
    assert CAPTURES, f"no capture in {FLOWS}"
    sipexplain("check", "--golden", FLOWS / "golden", "--complete", *CAPTURES)


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.name)
def test_no_call_fails(capture):
    # One capture at a time: which suppressions are needless is not known.
    sipexplain("--part", "--fail-on", "failed,error", capture)


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.name)
def test_goes_as_it_always_did(capture):
    sipexplain("check", "--golden", FLOWS / "golden", capture)
