"""Errors: refusals, limits, and what goes wrong on the way."""

import time

import openai
from process import equal
from registry import case
from standin import KEY, MODEL, StandIn, ask, raised


def refused(sim, kind, play, **fields):
    sim.play(play, **fields)
    return raised(kind, lambda: ask(sim.client()))


@case
def _():
    """errors: a wrong key is told, and only its ends repeated"""
    with StandIn() as sim:
        wrong = "-".join(["sk", "EXAMPLE", "wrong", "tail"])
        error = raised(openai.AuthenticationError, lambda: ask(sim.client(key=wrong)))
        equal((error.status_code, error.code), (401, "invalid_api_key"))
        equal("wrong" in error.message, False)


@case
def _():
    """errors: a key can be given and taken away"""
    with StandIn() as sim:
        other = "-".join(["sk", "EXAMPLE", "other"])
        sim.admin("POST", "keys", {"key": other})
        ask(sim.client(key=other))
        sim.admin("DELETE", "keys", {"key": other})
        raised(openai.AuthenticationError, lambda: ask(sim.client(key=other)))
        ask(sim.client(key=KEY))


@case
def _():
    """errors: the record of requests shows no key"""
    with StandIn() as sim:
        ask(sim.client())
        [request] = sim.requests()
        equal((request["headers"]["authorization"], request["body"]["model"]), ("Bearer", MODEL))
        equal(KEY in str(request), False)


@case
def _():
    """errors: a model that is not there"""
    with StandIn("--model", "other") as sim:
        error = raised(openai.NotFoundError, lambda: ask(sim.client()))
        equal(error.code, "model_not_found")


@case
def _():
    """errors: parameters out of range are refused, each by its name"""
    with StandIn() as sim:
        client = sim.client()
        for param, value in [
            ("temperature", 2.5),
            ("temperature", "hot"),
            ("top_p", 1.5),
            ("max_tokens", 0),
            ("max_completion_tokens", -1),
            ("stop", ["a", "b", "c", "d", "e"]),
            ("presence_penalty", 3),
            ("stream_options", {"include_usage": True}),
            ("tool_choice", "required"),
            ("response_format", {"type": "xml"}),
        ]:
            error = raised(openai.BadRequestError, lambda: ask(client, **{param: value}))  # noqa: B023
            equal(error.param, param)
        error = raised(openai.BadRequestError, lambda: ask(client, extra_body={"temprature": 1}))
        equal("temprature" in error.message, True)
        raised(openai.BadRequestError, lambda: client.chat.completions.create(model=MODEL, messages=[]))
        messages = [{"role": "narrator", "content": "x"}]
        raised(openai.BadRequestError, lambda: client.chat.completions.create(model=MODEL, messages=messages))


@case
def _():
    """errors: a prompt longer than the model's window"""
    with StandIn("--context", "100") as sim:
        client = sim.client()
        ask(client)
        error = raised(openai.BadRequestError, lambda: ask(client, "word " * 200))
        equal(error.code, "context_length_exceeded")
        error = raised(openai.BadRequestError, lambda: ask(client, max_completion_tokens=100))
        equal(error.code, "context_length_exceeded")


@case
def _():
    """errors: requests beyond the limit of a minute are told when to come again"""
    with StandIn("--requests-per-minute", "3") as sim:
        client = sim.client()
        left = [
            client.chat.completions.with_raw_response.create(
                model=MODEL, messages=[{"role": "user", "content": "x"}]
            ).headers["x-ratelimit-remaining-requests"]
            for _ in range(3)
        ]
        equal(left, ["2", "1", "0"])
        error = raised(openai.RateLimitError, lambda: ask(client))
        equal((error.status_code, error.code), (429, "rate_limit_exceeded"))
        equal(50 <= int(error.response.headers["retry-after"]) <= 60, True)


@case
def _():
    """errors: tokens beyond the limit of a minute"""
    with StandIn("--tokens-per-minute", "60") as sim:
        client = sim.client()
        ask(client)
        raised(openai.RateLimitError, lambda: ask(client, "word " * 50))


@case
def _():
    """errors: both meanings of 429"""
    with StandIn() as sim:
        error = refused(sim, openai.RateLimitError, "rate_limited", retry_after=7)
        equal((error.code, error.response.headers["retry-after"]), ("rate_limit_exceeded", "7"))
        for code in ["credit_balance_exhausted", "project_spend_limit_exceeded"]:
            error = refused(sim, openai.RateLimitError, "quota", code=code)
            equal((error.code, error.type), (code, "insufficient_quota"))


@case
def _():
    """errors: the SDK repeats what passes, and waits as long as it is told"""
    with StandIn() as sim:
        sim.play("rate_limited", retry_after=1)
        sim.play("overloaded")
        begun = time.monotonic()
        ask(sim.client(max_retries=2))
        equal(time.monotonic() - begun >= 1, True)
        equal([request["answer"] for request in sim.requests()], ["429", "503", "200"])


@case
def _():
    """errors: each status is the SDK's class for it"""
    with StandIn() as sim:
        refused(sim, openai.UnprocessableEntityError, "unprocessable")
        refused(sim, openai.InternalServerError, "overloaded")
        refused(sim, openai.PermissionDeniedError, "forbidden")
        refused(sim, openai.BadRequestError, "moderated")
        refused(sim, openai.InternalServerError, "html")
        refused(sim, openai.InternalServerError, "mid_stream_error")


@case
def _():
    """errors: in the shapes of other services"""
    with StandIn() as sim:
        for shape in ["openai", "flat", "code", "word", "string", "text"]:
            error = refused(sim, openai.BadRequestError, "error", status=400, shape=shape, code=20012, message="m!")
            equal("m!" in f"{error.message} {error.body}", True, f"{shape}: {error!r}")


@case
def _():
    """errors: each dialect refuses in its own words"""
    kinds = {400: openai.BadRequestError, 404: openai.NotFoundError}
    for dialect, status, code in [
        ("openai", 404, "model_not_found"),
        ("deepseek", 404, "invalid_request_error"),
        ("dashscope", 404, "model_not_found"),
        ("siliconflow", 400, "20012"),
        ("vllm", 404, "404"),
        ("ollama", 404, None),
    ]:
        with StandIn("--dialect", dialect, "--model", "other") as sim:
            error = raised(kinds[status], lambda: ask(sim.client()))  # noqa: B023
            equal((error.status_code, error.code), (status, code), dialect)


@case
def _():
    """errors: an error in the middle of a stream comes after the words before it"""
    with StandIn() as sim:
        sim.play("mid_stream_error", after=4)
        words = []

        def read():
            for piece in ask(sim.client(), stream=True):
                words.append(piece.choices[0].delta.content)

        error = raised(openai.APIError, read)
        equal(("error while processing" in error.message, len(words)), (True, 4))


@case
def _():
    """errors: a connection that breaks, before and in the middle of an answer"""
    with StandIn() as sim:
        refused(sim, openai.APIConnectionError, "reset")
        sim.play("cut", after=3)
        raised(openai.APIConnectionError, lambda: list(ask(sim.client(), stream=True)))


@case
def _():
    """errors: an endpoint that hangs is left by the client's own deadline"""
    with StandIn() as sim:
        for options in [{}, {"stream": True}]:
            sim.play("first_byte_hang")
            raised(openai.APITimeoutError, lambda: list(ask(sim.client(timeout=0.3), **options)))  # noqa: B023


@case
def _():
    """errors: an answer without choices is no error to the SDK"""
    with StandIn() as sim:
        sim.play("empty_choices")
        equal(ask(sim.client()).choices, [])


@case
def _():
    """errors: a path that is not there, and a body that is no JSON"""
    with StandIn() as sim:
        client = sim.client()
        raised(openai.NotFoundError, lambda: client.embeddings.create(model=MODEL, input="x"))
        raised(openai.BadRequestError, lambda: client.post("/chat/completions", content=b"{", cast_to=object))
