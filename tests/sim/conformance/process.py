"""A stand-in as a process on a free port, and its admin API."""

import json
import subprocess
import urllib.request


class Process:
    """Runs while it is entered."""

    binary = None

    def __init__(self, name, options):
        self.command = [name, "--listen", "127.0.0.1:0", *options]

    def __enter__(self):
        self.process = subprocess.Popen([self.binary, *self.command], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        # Host and port, and the path that its greeting gives to clients.
        self.endpoint, slash, path = line.rpartition("http://")[2].strip().partition("/")
        self.path = slash + path
        if not self.endpoint:
            raise RuntimeError(f"the stand-in did not start: {line!r}")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def admin(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.endpoint}/_sim/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def equal(seen, expected, what=""):
    if seen != expected:
        raise AssertionError(f"{what + ': ' if what else ''}expected {expected!r}, saw {seen!r}")
