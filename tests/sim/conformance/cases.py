"""Runs the cases. Each starts a stand-in of its own; its docstring is its name. Run by run.py."""

import argparse
import sys
import traceback

import cases_offers  # noqa: F401
import cases_reading  # noqa: F401
import cases_troubles  # noqa: F401
import cases_writing  # noqa: F401
from registry import CASES
from standin import StandIn


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--sim")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(name for name, _ in CASES))
        return 0
    StandIn.binary = arguments.sim
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
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
