"""Answers: whole, streamed, structured, with tools."""

import asyncio
import json
from typing import List, Literal, Optional

import openai
from process import equal
from pydantic import BaseModel
from registry import case
from standin import KEY, MODEL, StandIn, ask, raised, user

SCALE = {
    "type": "function",
    "function": {
        "name": "scale",
        "description": "Changes the number of replicas",
        "parameters": {
            "type": "object",
            "properties": {"deployment": {"type": "string"}, "replicas": {"type": "integer", "minimum": 2}},
            "required": ["deployment", "replicas"],
            "additionalProperties": False,
        },
    },
}


class Step(BaseModel):
    what: str
    risk: Literal["read-only", "change"]


class Finding(BaseModel):
    severity: Literal["info", "warning", "error"]
    title: str
    line: Optional[int]
    steps: List[Step]


@case
def _():
    """chat: a whole answer with its count"""
    with StandIn() as sim:
        answer = ask(sim.client())
        [choice] = answer.choices
        equal(choice.message.content, "You said: Why is the sky blue?")
        equal((choice.message.role, choice.finish_reason, choice.message.refusal), ("assistant", "stop", None))
        equal((answer.object, answer.model), ("chat.completion", MODEL))
        usage = answer.usage
        equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)
        equal(usage.completion_tokens > 5 and usage.prompt_tokens > 5, True)


@case
def _():
    """chat: every answer has an id of its own, and a request id"""
    with StandIn() as sim:
        client = sim.client()
        answers = [ask(client) for _ in range(3)]
        equal(len({answer.id for answer in answers}), 3)
        equal(len({answer._request_id for answer in answers}), 3)


@case
def _():
    """chat: the limit of tokens cuts an answer"""
    with StandIn() as sim:
        answer = ask(sim.client(), max_completion_tokens=3)
        equal(answer.choices[0].finish_reason, "length")
        equal(answer.usage.completion_tokens, 3)


@case
def _():
    """chat: a stop sequence ends an answer before itself"""
    with StandIn() as sim:
        answer = ask(sim.client(), stop=["sky", "never"])
        equal((answer.choices[0].message.content, answer.choices[0].finish_reason), ("You said: Why is the ", "stop"))


@case
def _():
    """chat: a conversation with parts, a system message and an earlier answer"""
    with StandIn() as sim:
        messages = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "one"}]},
            {"role": "assistant", "content": "two"},
            {"role": "user", "content": [{"type": "text", "text": "three"}]},
        ]
        answer = sim.client().chat.completions.create(model=MODEL, messages=messages, temperature=0, seed=7)
        equal(answer.choices[0].message.content, "You said: three")


@case
def _():
    """chat: the asynchronous client gets the same"""

    async def main(endpoint):
        async with openai.AsyncOpenAI(base_url=f"http://{endpoint}/v1", api_key=KEY, max_retries=0) as client:
            answers = [client.chat.completions.create(model=MODEL, messages=user(f"{n}")) for n in range(20)]
            return [answer.choices[0].message.content for answer in await asyncio.gather(*answers)]

    with StandIn() as sim:
        equal(asyncio.run(main(sim.endpoint)), [f"You said: {n}" for n in range(20)])


@case
def _():
    """chat: the script says what the model says, in order"""
    with StandIn() as sim:
        for words in ["first", "second"]:
            sim.play("say", content=words)
        client = sim.client()
        equal([ask(client).choices[0].message.content for _ in range(2)], ["first", "second"])
        equal(ask(client).choices[0].message.content, "You said: Why is the sky blue?")


@case
def _():
    """models: the list, and one of them"""
    with StandIn("--model", "a", "--model", "b") as sim:
        client = sim.client()
        equal([model.id for model in client.models.list()], ["a", "b"])
        equal(client.models.retrieve("b").id, "b")
        raised(openai.NotFoundError, lambda: client.models.retrieve("c"))


@case
def _():
    """streaming: pieces that make up the answer, and the count in a last one without choices"""
    with StandIn() as sim:
        stream = ask(sim.client(), stream=True, stream_options={"include_usage": True})
        pieces = list(stream)
        words = [piece.choices[0].delta.content for piece in pieces if piece.choices]
        equal("".join(word for word in words if word), "You said: Why is the sky blue?")
        equal(len(words) > 5, True)
        equal(pieces[-1].choices, [])
        equal(pieces[-1].usage.completion_tokens > 5, True)
        equal([piece.usage for piece in pieces[:-1]], [None] * (len(pieces) - 1))
        equal([piece.choices[0].finish_reason for piece in pieces[-2:-1]], ["stop"])
        equal(len({piece.id for piece in pieces}), 1)


@case
def _():
    """streaming: without asking for it there is no count"""
    with StandIn() as sim:
        pieces = list(ask(sim.client(), stream=True))
        equal([piece.usage for piece in pieces], [None] * len(pieces))
        equal(pieces[-1].choices[0].finish_reason, "stop")


@case
def _():
    """streaming: the SDK's own accumulation gives the whole answer"""
    with StandIn() as sim:
        with sim.client().chat.completions.stream(model=MODEL, messages=user("hello")) as stream:
            kinds = {event.type for event in stream}
            final = stream.get_final_completion()
        equal({"content.delta", "content.done"} <= kinds, True)
        equal(final.choices[0].message.content, "You said: hello")


@case
def _():
    """streaming: keep-alive comments are no pieces"""
    with StandIn() as sim:
        sim.play("keep_alive", count=20, every=0.01)
        pieces = list(ask(sim.client(), stream=True))
        equal("".join(piece.choices[0].delta.content or "" for piece in pieces), "You said: Why is the sky blue?")


@case
def _():
    """tools: one that must be called comes with arguments that fit"""
    with StandIn() as sim:
        for choice in ["required", {"type": "function", "function": {"name": "scale"}}]:
            answer = ask(sim.client(), tools=[SCALE], tool_choice=choice)
            equal((answer.choices[0].finish_reason, answer.choices[0].message.content), ("tool_calls", None))
            [call] = answer.choices[0].message.tool_calls
            equal((call.type, call.function.name), ("function", "scale"))
            arguments = json.loads(call.function.arguments)
            equal((type(arguments["deployment"]), arguments["replicas"]), (str, 2))


@case
def _():
    """tools: a conversation goes on with what the tool said"""
    with StandIn() as sim:
        client = sim.client()
        sim.play("say", tool_calls=[["scale", {"deployment": "web", "replicas": 5}]])
        message = ask(client, tools=[SCALE]).choices[0].message
        [call] = message.tool_calls
        equal(json.loads(call.function.arguments), {"deployment": "web", "replicas": 5})
        messages = [
            *user("scale up"),
            message.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": call.id, "content": "done"},
        ]
        answer = client.chat.completions.create(model=MODEL, messages=messages, tools=[SCALE])
        equal(answer.choices[0].message.content, "You said: scale up")


@case
def _():
    """tools: an answer to a call that was not made is refused"""
    with StandIn() as sim:
        messages = [*user("x"), {"role": "tool", "tool_call_id": "call_unknown", "content": "done"}]
        call = lambda: sim.client().chat.completions.create(model=MODEL, messages=messages)  # noqa: E731
        equal("must be a response to" in raised(openai.BadRequestError, call).message, True)


@case
def _():
    """tools: calls come in pieces on a stream, several at once"""
    with StandIn() as sim:
        wanted = [["scale", {"deployment": "web", "replicas": 5}], ["scale", {"deployment": "db", "replicas": 3}]]
        sim.play("say", tool_calls=wanted)
        with sim.client().chat.completions.stream(model=MODEL, messages=user("x"), tools=[SCALE]) as stream:
            for _ in stream:
                pass
            message = stream.get_final_completion().choices[0].message
        equal([[c.function.name, json.loads(c.function.arguments)] for c in message.tool_calls], wanted)


@case
def _():
    """structured output: a model of pydantic comes back filled in"""
    with StandIn() as sim:
        answer = sim.client().chat.completions.parse(model=MODEL, messages=user("x"), response_format=Finding)
        finding = answer.choices[0].message.parsed
        equal((type(finding), finding.severity, finding.steps[0].risk), (Finding, "info", "read-only"))


@case
def _():
    """structured output: streamed, and put together by the SDK"""
    with StandIn() as sim:
        options = {"model": MODEL, "messages": user("x"), "response_format": Finding}
        with sim.client().chat.completions.stream(**options) as stream:
            for _ in stream:
                pass
            equal(stream.get_final_completion().choices[0].message.parsed.severity, "info")


@case
def _():
    """structured output: a schema that is not closed is not strict, and refused"""
    with StandIn() as sim:
        schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
        format = {"type": "json_schema", "json_schema": {"name": "s", "strict": True, "schema": schema}}
        error = raised(openai.BadRequestError, lambda: ask(sim.client(), response_format=format))
        equal(("additionalProperties" in error.message, error.param), (True, "response_format"))


@case
def _():
    """structured output: a JSON object, when the prompt says so"""
    with StandIn() as sim:
        client = sim.client()
        format = {"type": "json_object"}
        answer = ask(client, "Say it in JSON", response_format=format)
        equal(json.loads(answer.choices[0].message.content), {"heard": "Say it in JSON"})
        error = raised(openai.BadRequestError, lambda: ask(client, "Say it", response_format=format))
        equal("must contain the word 'json'" in error.message, True)


@case
def _():
    """structured output: a refusal stands in a field of its own"""
    with StandIn() as sim:
        sim.play("refusal", text="No.")
        answer = sim.client().chat.completions.parse(model=MODEL, messages=user("x"), response_format=Finding)
        message = answer.choices[0].message
        equal((message.refusal, message.content, message.parsed), ("No.", None, None))


@case
def _():
    """structured output: the SDK says that an answer was cut, or taken by a filter"""
    with StandIn() as sim:
        parse = sim.client().chat.completions.parse
        for play, kind in [
            ("length_cut", openai.LengthFinishReasonError),
            ("content_filter", openai.ContentFilterFinishReasonError),
        ]:
            sim.play(play)
            raised(kind, lambda: parse(model=MODEL, messages=user("x"), response_format=Finding))


@case
def _():
    """structured output: what does not fit is the SDK's to find"""
    with StandIn() as sim:
        parse = sim.client().chat.completions.parse
        for play in ["wrong_schema", "fenced_json", "prose", "think"]:
            sim.play(play)
            try:
                parse(model=MODEL, messages=user("x"), response_format=Finding)
            except ValueError:
                continue
            raise AssertionError(f"{play} was parsed")
