"""One stand-in on a free port, the official client for it, and its script."""

import openai
from process import Process, equal

KEY = "-".join(["sk", "EXAMPLE", "conformance"])
MODEL = "sim-chat"


class StandIn(Process):
    """Runs while it is entered. `options` are flags of `sim llm`."""

    def __init__(self, *options):
        super().__init__("llm", ["--key", KEY, *options])

    def client(self, key=KEY, **options):
        options = {"max_retries": 0, "timeout": 10, **options}
        return openai.OpenAI(base_url=f"http://{self.endpoint}{self.path}", api_key=key, **options)

    def play(self, kind, count=1, **fields):
        """Has this happen to the next `count` requests."""
        self.admin("POST", "script", {"play": {"kind": kind, **fields}, "count": count})

    def requests(self):
        return self.admin("GET", "requests")


def user(text):
    return [{"role": "user", "content": text}]


def ask(client, text="Why is the sky blue?", **options):
    return client.chat.completions.create(model=MODEL, messages=user(text), **options)


def raised(kind, call):
    """The error of this class with which a call ends."""
    try:
        call()
    except kind as error:
        equal(type(error).__name__, kind.__name__)
        return error
    raise AssertionError(f"expected {kind.__name__}, and it went well")
