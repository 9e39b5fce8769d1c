# From here on all scripts are the same: what plays the steps above.

import asyncio
import functools
import json
import os
import re
import sys
import time
import traceback
import urllib.parse
import uuid

import aiohttp
import socketio

SERVER = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("CHAT_URL", TARGET["url"])
if not SERVER:
    print("usage: python " + sys.argv[0] + " URL    (or CHAT_URL=URL)", file=sys.stderr)
    sys.exit(2)
WAIT = float(os.environ.get("CHAT_WAIT", 5))  # s for any one answer; give more where the server is in a debugger
PATIENCE = max(WAIT, 30)  # for REST: a password is meant to be slow to check
SETTLE = 0.2  # s in which what is not to come would have come


class Difference(Exception):
    pass


class Unreachable(Exception):
    pass


NOTHING = object()  # where JSON has no value at all


def say(*words):
    print(*words, flush=True)


def show(value):
    return json.dumps(value, default=lambda _: "nothing")  # in ASCII, so that what looks alike can be told apart


def short(value):
    text = show(value)
    return text if len(text) <= 160 else text[:160] + "…"


async def until(there):
    end = time.monotonic() + WAIT
    while not there() and time.monotonic() < end:
        await asyncio.sleep(0.01)


def differs(expected, got, checks=()):
    """The script ends here: what was expected, what came instead, and what the contract says about it."""
    rules = [f"({id} {CONTRACT[id]})" for id in checks] or ["(a step that has to work on the way)"]
    raise Difference("\n".join([f"expected {expected}", f"got      {got}", *rules]))


# What has a name in {{...}}; and what anything may be that only has to be of a kind.
known = {}
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"
KINDS = {
    "an id": lambda value: bool(re.fullmatch("[0-9a-f]{24}", str(value))),
    "a time": lambda value: bool(re.fullmatch(ISO, str(value))),
    "some words": lambda value: isinstance(value, str) and value.strip() != "",
    "true or false": lambda value: isinstance(value, bool),
    "nothing": lambda value: value is NOTHING,
}


def value_of(name):
    repeated = re.fullmatch(r"(.) \* (\d+)", name, re.DOTALL)
    if repeated:
        return repeated[1] * int(repeated[2])
    if name == "brace":
        return "{"
    if name.startswith("env "):
        return os.environ.get(name[4:], "")
    if name.startswith("new "):
        known.setdefault(name, f"{name[4:]} {uuid.uuid4().hex[:8]}")
    return known.get(name)


PLACEHOLDER = re.compile(r"\{\{(.+?)\}\}", re.DOTALL)


def name_in(text):
    """The name in a text that is a placeholder and nothing else."""
    found = re.fullmatch(r"\{\{((?:(?!\}\}).)+)\}\}", text, re.DOTALL) if isinstance(text, str) else None
    return found and found[1]


def refuse(name):
    raise RuntimeError("nothing is known of {{" + name + "}}")


def fill(value, unknown=refuse):
    """A value with its placeholders filled in; `unknown` says what stands for one that nothing is known of."""

    def of(name):
        found = value_of(name)
        return unknown(name) if found is None else found

    if isinstance(value, str):
        name = name_in(value)
        return PLACEHOLDER.sub(lambda found: str(of(found[1])), value) if name is None else of(name)
    if isinstance(value, list):
        return [fill(item, unknown) for item in value]
    return {key: fill(inner, unknown) for key, inner in value.items()} if isinstance(value, dict) else value


def shown(value):
    return fill(value, lambda name: f"<{name}>")


def inside(value, key):
    if isinstance(value, list):
        return value[int(key)] if str(key).isdigit() and int(key) < len(value) else NOTHING
    return value.get(key, NOTHING) if isinstance(value, dict) else NOTHING


def difference(got, wanted, at="", learned=None):
    """Where a value is not as wanted, as a JSON pointer; None if it is. It may have more fields than are wanted.
    A name of which nothing is known yet may be any id: `learned` gets it."""
    name = name_in(wanted)
    if name in KINDS:
        return None if KINDS[name](got) else at
    if name is not None and value_of(name) is None:
        if learned is not None:
            learned[name] = got
        return None if KINDS["an id"](got) else at
    if not isinstance(wanted, (dict, list)):
        wanted = fill(wanted)
        # True is not 1 in JSON.
        return None if type(got) is type(wanted) and got == wanted else at
    in_any_order, where = inside(wanted, "{{in any order}}"), inside(wanted, "{{where}}")
    is_object = isinstance(wanted, dict) and in_any_order is where is NOTHING
    if not isinstance(got, (dict, list) if is_object else list):
        return at
    if in_any_order is not NOTHING:
        return None if sorted(map(str, got)) == sorted(fill(in_any_order)) else at
    if isinstance(wanted, list) and len(got) != len(wanted):
        return at
    pairs = wanted.items() if is_object else enumerate(wanted)
    if where is not NOTHING:
        places = [[n for n, item in enumerate(got) if difference(item, like) is None] for like, _ in where]
        pairs = [(found[0] if found else show(shown(like)), then) for found, (like, then) in zip(places, where)]
    found = (difference(inside(got, key), value, f"{at}/{key}", learned) for key, value in pairs)
    return next((place for place in found if place is not None), None)


def same(got, wanted, checks=()):
    place = difference(got, wanted, learned=known)
    if place is not None:
        differs(show(shown(wanted)), show(got) + (f"  (see {place})" if place else ""), checks)


async def request(who, headers, step, prefix=""):
    """Makes a REST request, and looks at its answer."""
    encoded = PLACEHOLDER.sub(lambda text: urllib.parse.quote(str(fill(text[0])), safe=""), step["request"])
    method, place = encoded.split(" ")
    body = fill(step.get("body"))
    say(f"{who} → {method} {place}", *([] if body is None else [short(body)]))
    sent = {**fill(step.get("headers", {})), **headers}
    try:
        url = (TARGET["rest"] or SERVER).rstrip("/") + place
        async with http.request(method, url, json=body, headers=sent) as response:
            text = await response.text()
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        raise Unreachable(f"{method} {place}: {error or 'no answer in time'}") from error
    if response.status not in step["status"]:
        differs("HTTP " + " or ".join(map(str, step["status"])), f"HTTP {response.status} {show(text)}")
    try:
        reply = json.loads(text)
    except ValueError:
        reply = text
    for name, pointer in step.get("take", {}).items():
        found = functools.reduce(inside, pointer.split("/")[1:], reply)
        if found in (None, NOTHING):
            differs(f"something at {pointer}", show(reply))
        known[prefix + name] = found
    if "reply" in step:
        same(reply, step["reply"], step.get("checks", ()))


class Client:
    def __init__(self):
        self.events, self.refusal, self.reached = [], None, False
        self.io = socketio.AsyncClient(reconnection=False)
        self.io.on("*", lambda event, data=None, *more: self.events.append((event, data)))
        self.io.on("connect_error", self.refuse)

    def refuse(self, data):
        # Where there is no connection at all, python-socketio tells of it in the same way.
        self.reached = self.io.eio.state == "connected"
        self.refusal = data


opened = []
clients = {}
marks = {}


async def ask(step):
    """Sends a request and gives its ack; NOTHING where none comes."""
    name, event, args = step["ask"], step["event"], fill(step["args"])
    say(f"{name} → {event}", *map(short, args))
    try:
        ack = await clients[name].io.call(event, tuple(args), timeout=WAIT)
    except (socketio.exceptions.TimeoutError, socketio.exceptions.BadNamespaceError):
        say(f"{name} ← no ack of {event}")
        return NOTHING
    say(f"{name} ← ack of {event} {short(ack)}")
    return ack


def wanted_ack(step):
    """What an ack has to be like."""
    if step["ack"] == "either":
        return {"ok": "{{true or false}}"}
    if step["ack"] == "ok":
        return {"ok": True, "error": "{{nothing}}", **({"data": step["data"]} if "data" in step else {})}
    return {"ok": False, "error": step["ack"], "message": "{{some words}}", "data": "{{nothing}}"}


def events(name, step):
    """The events of a client, from the step's mark on."""
    return clients[name].events[marks.get(step.get("since"), 0) :]


def matching(name, step):
    of_name = (data for event, data in events(name, step) if event == step["event"])
    return [data for data in of_name if difference(data, step["wanted"]) is None]


class Play:
    """One method for each kind of step: the first key of the step."""

    async def register(step):
        name = step["register"]
        handle = re.sub(r"\W+", "_", name) + "_" + uuid.uuid4().hex[:8]
        known.update(name=name, handle=handle, email=f"{handle}@example.org", password=str(uuid.uuid4()))
        try:
            for one in TARGET["sign_up"]:
                await request("nobody", {}, one, f"{name}.")
        except Difference as error:
            raise Unreachable(f"{name} cannot register: {error}") from error

    async def rest(step):
        known["token"] = fill(step.get("token", "{{" + step["rest"] + ".token}}"))
        await request(step["rest"], fill(TARGET["authorization"]), step)

    async def connect(step):
        name, refused, checks = step["connect"], step.get("refused"), step.get("checks", ())
        say(f"{name} → connects")
        client = clients[name] = Client()
        opened.append(client)
        query = fill(step.get("query"))
        url = SERVER + ("?" + urllib.parse.urlencode(query) if query else "")
        options = {"transports": ["websocket"], "socketio_path": TARGET["path"], "wait_timeout": WAIT}
        accepted = True
        try:
            await client.io.connect(url, auth=fill(step.get("auth")), **options)
        except socketio.exceptions.ConnectionError as error:
            accepted = False
            if client.refusal is not None and not client.reached:
                raise Unreachable(f"{name} cannot connect: {error}") from error
        if not refused and not accepted:
            answer = "no answer" if client.refusal is None else f"CONNECT_ERROR {show(client.refusal)}"
            differs(f"{name} to be let in", answer, checks)
        if refused and client.refusal is None:
            answer = "the connection was accepted" if accepted else "no answer"
            differs(f"{name} to be refused with CONNECT_ERROR", answer, checks)
        if refused:
            say(f"{name} ← CONNECT_ERROR {short(client.refusal)}")

    async def ask(step):
        same(await ask(step), wanted_ack(step), step.get("checks", ()))

    async def at_once(step):
        asks, checks = step["at_once"], step.get("checks", ())
        acks = await asyncio.gather(*map(ask, asks))
        if "acks" not in step:
            for one, ack in zip(asks, acks):
                same(ack, wanted_ack(one), checks)
            return
        got = {}
        for ack in acks:
            answered = isinstance(ack, dict)
            outcome = (ack.get("error") or ("ok" if ack.get("ok") else "no ack")) if answered else "no ack"
            got[outcome] = got.get(outcome, 0) + 1
        if got != step["acks"]:
            differs(show(step["acks"]), show(got), checks)

    async def send(step):
        name, event, args = step["send"], step["event"], fill(step["args"])
        say(f"{name} → {event}", *map(short, args), " (with or without an ack)" if "ack" in step else " (no ack)")
        await clients[name].io.emit(event, tuple(args), callback=(lambda *ack: None) if "ack" in step else None)

    async def close(step):
        say(f"{step['close']} → disconnects")
        await clients[step["close"]].io.disconnect()

    async def pause(step):
        say(f"({step['pause']} s)")
        await asyncio.sleep(step["pause"])

    async def mark(step):
        marks[step["as"]] = len(clients[step["mark"]].events)

    async def hear(step):
        """Waits for an event, which may have come before."""
        name, event = step["hear"], step["event"]
        await until(lambda: matching(name, step))
        heard = matching(name, step)
        if not heard:
            came = "".join(f"\n         {event} {show(data)}" for event, data in events(name, step)[:-11:-1])
            wanted = f"{name} to get {event} {show(shown(step['wanted']))}"
            differs(wanted, f"none; what came last:{came or ' nothing'}", step.get("checks", ()))
        same(heard[0], step["wanted"])
        say(f"{name} ← {event} {short(heard[0])}")

    async def count(step):
        """So many events have come, and no more come in a while."""
        name, event, times = step["count"], step["event"], step["times"]
        await until(lambda: len(matching(name, step)) >= times)
        await asyncio.sleep(SETTLE)
        got = matching(name, step)
        number = f"exactly {times}" if times else "no"
        if len(got) != times:
            came = "".join(f"\n         {event} {show(data)}" for data in got)
            wanted = f"{name} to get {number} {event} {show(shown(step['wanted']))}"
            differs(wanted, f"{len(got)} of them{came}", step.get("checks", ()))
        say(f"{name} {'←' if times else '∅'} {event} {short(shown(step['wanted']))}" + (f"  ({number})" if times else ""))

    async def order(step):
        """Those of these events that have come, have come in this order."""
        name, event, wanted = step["order"], step["event"], step["wanted"]
        came = [data for one, data in events(name, step) if one == event]
        found = [next((n for n, one in enumerate(wanted) if difference(data, one) is None), None) for data in came]
        places = [place for place in found if place is not None]
        if places != sorted(places):
            differs(f"{event} at {name} in the order {sorted(places)}", show(places), step.get("checks", ()))
        say(f"{name} ← {event} in the order of sending")


async def main():
    global http
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as http:
        try:
            for step in STEPS:
                await getattr(Play, next(iter(step)))(step)
        finally:
            for client in opened:
                await client.io.disconnect()


sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
try:
    asyncio.run(main())
except Difference as difference:
    say(f"\n{difference}")
    sys.exit(1)
except socketio.exceptions.SocketIOError as error:
    say(f"\nexpected the connection to stay open\ngot      {error!r}")
    sys.exit(1)
except Unreachable as error:
    say(f"\n{error}")
    sys.exit(2)
except Exception:
    traceback.print_exc()
    sys.exit(2)
say("\nas the contract says" + ("; not looked at: " + "; ".join(LEFT_OUT) if LEFT_OUT else ""))
