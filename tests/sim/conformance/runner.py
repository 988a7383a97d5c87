"""Runs the cases of one stand-in, those in `cases_*.py` of its folder. Run by run.py."""

import argparse
import importlib
import pathlib
import sys
import traceback

from process import Process
from registry import CASES

# An exit code: no case has one of the words.
NOTHING_CHOSEN = 3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--sim")
    arguments = parser.parse_args()
    sys.path.insert(0, str(arguments.folder))
    for path in sorted(arguments.folder.glob("cases_*.py")):
        importlib.import_module(path.stem)
    if arguments.list:
        print("\n".join(name for name, _ in CASES))
        return 0
    Process.binary = arguments.sim
    chosen = [
        (name, check)
        for name, check in CASES
        if not arguments.words or any(word in name for word in arguments.words)
    ]
    failed = 0
    for name, check in chosen:
        try:
            check()
            print(f"ok    {name}", flush=True)
        except Exception as error:
            failed += 1
            frame = traceback.extract_tb(error.__traceback__)[-1]
            print(f"FAIL  {name}: {error} ({frame.filename.rpartition('/')[2]}:{frame.lineno})", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    if not chosen:
        return NOTHING_CHOSEN
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
