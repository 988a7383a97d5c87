#!/usr/bin/env python3
"""Checks the CVM stand-in with the official Tencent Cloud SDK for Python, which we did not write.

Builds the stand-in, makes a virtual environment with the SDK in the user's cache (once, about 20 s), starts one
stand-in per case on a free port of 127.0.0.1 and prints one line per case. Exit code 1 when a case fails, 2 when
the checks could not be run.

    python3 tests/sim/conformance/run.py              every case
    python3 tests/sim/conformance/run.py token page   the cases whose name has one of these words
    python3 tests/sim/conformance/run.py --list       the names
    python3 tests/sim/conformance/run.py --sim FILE   with a stand-in that is built already
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

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
REQUIREMENTS = HERE / "requirements.txt"


def cache() -> pathlib.Path:
    root = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(root) / "aiops-operators" / "cvm-conformance"


def python_with_sdk() -> pathlib.Path:
    """The interpreter of an environment that has exactly the pinned packages; made when it is not there."""
    made_of = REQUIREMENTS.read_bytes() + sys.version.encode()
    home = cache() / hashlib.sha256(made_of).hexdigest()[:16]
    python = home / "bin" / "python"
    if (home / "complete").exists():
        return python
    print(f"conformance: installing the official SDK into {home} (once, about 20 s)", flush=True)
    shutil.rmtree(home, ignore_errors=True)
    venv.create(home, with_pip=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS]
    subprocess.run(install, check=True)
    (home / "complete").touch()
    return python


def build() -> pathlib.Path:
    print("conformance: building the stand-in", flush=True)
    subprocess.run(["cargo", "build", "--quiet", "--package", "sim"], cwd=REPOSITORY, check=True)
    metadata = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    described = subprocess.run(metadata, cwd=REPOSITORY, check=True, capture_output=True).stdout
    return pathlib.Path(json.loads(described)["target_directory"]) / "debug" / "sim"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only cases whose name has one of these words")
    parser.add_argument("--list", action="store_true", help="print the names of the cases and end")
    parser.add_argument("--sim", type=pathlib.Path, help="the stand-in's binary; built when not given")
    arguments = parser.parse_args()
    try:
        python = python_with_sdk()
        command = [python, "-B", HERE / "cases.py"]
        if arguments.list:
            command.append("--list")
        else:
            command += ["--sim", arguments.sim or build(), *arguments.words]
        return subprocess.run(command).returncode
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"conformance: cannot run: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
