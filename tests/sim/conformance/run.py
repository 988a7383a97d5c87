#!/usr/bin/env python3
"""Checks the stand-ins with the official SDKs for Python, which we did not write: the cloud's, and OpenAI's.

Builds the stand-ins, makes a virtual environment for each SDK in the user's cache (once, about 20 s), starts one
stand-in per case on a free port of 127.0.0.1 and prints one line per case. Exit code 1 when a case fails, 2 when
the checks could not be run.

    python3 tests/sim/conformance/run.py              every case
    python3 tests/sim/conformance/run.py token page   the cases whose name has one of these words
    python3 tests/sim/conformance/run.py --only llm   the cases of one stand-in
    python3 tests/sim/conformance/run.py --list       the names
    python3 tests/sim/conformance/run.py --sim FILE   with stand-ins that are built already
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import venv

from runner import NOTHING_CHOSEN

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
# Each folder has the packages it is checked with (requirements.txt) and the cases.
STAND_INS = ["cvm", "llm"]


def cache() -> pathlib.Path:
    root = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(root) / "aiops-operators" / "conformance"


def python_with_sdk(stand_in: str) -> pathlib.Path:
    """The interpreter of an environment that has exactly the pinned packages; made when it is not there."""
    requirements = HERE / stand_in / "requirements.txt"
    made_of = requirements.read_bytes() + sys.version.encode()
    home = cache() / f"{stand_in}-{hashlib.sha256(made_of).hexdigest()[:16]}"
    python = home / "bin" / "python"
    if (home / "complete").exists():
        return python
    print(f"conformance: installing the official SDK into {home} (once, about 20 s)", flush=True)
    shutil.rmtree(home, ignore_errors=True)
    venv.create(home, with_pip=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]
    subprocess.run(install, check=True)
    (home / "complete").touch()
    return python


def without_proxies() -> dict[str, str]:
    """The environment for whoever asks loopback alone. Exceptions in NO_PROXY would not do: the cloud's SDK looks for
    host and port in it."""
    proxies = {"http_proxy", "https_proxy", "all_proxy"}
    return {name: value for name, value in os.environ.items() if name.lower() not in proxies}


def build() -> pathlib.Path:
    print("conformance: building the stand-in", flush=True)
    subprocess.run(["cargo", "build", "--quiet", "--package", "sim"], cwd=REPOSITORY, check=True)
    metadata = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    described = subprocess.run(metadata, cwd=REPOSITORY, check=True, capture_output=True).stdout
    return pathlib.Path(json.loads(described)["target_directory"]) / "debug" / "sim"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only cases whose name has one of these words")
    parser.add_argument("--only", choices=STAND_INS, help="only the cases of this stand-in")
    parser.add_argument("--list", action="store_true", help="print the names of the cases and end")
    parser.add_argument("--sim", type=pathlib.Path, help="the stand-ins' binary; built when not given")
    arguments = parser.parse_args()
    try:
        how = ["--list"] if arguments.list else ["--sim", arguments.sim or build()]
        codes = []
        for stand_in in [arguments.only] if arguments.only else STAND_INS:
            python = python_with_sdk(stand_in)
            command = [python, "-B", HERE / "runner.py", *how, HERE / stand_in, *arguments.words]
            codes.append(subprocess.run(command, env=without_proxies()).returncode)
        return max([code for code in codes if code != NOTHING_CHOSEN], default=1)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"conformance: cannot run: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
