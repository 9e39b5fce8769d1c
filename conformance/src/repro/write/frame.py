##! always
{{header}}

import asyncio
import json
import os
import re
import sys
import time
import traceback
import urllib.parse
import uuid
from types import SimpleNamespace

import aiohttp
import socketio

SERVER = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("CHAT_URL"{{url}})
if not SERVER:
    print("usage: python " + sys.argv[0] + " URL    (or CHAT_URL=URL)", file=sys.stderr)
    sys.exit(2)
REST = {{rest}}
PATH = {{path}}
WAIT = float(os.environ.get("CHAT_WAIT", 5))  # s for any one answer; give more where the server is in a debugger

CONTRACT = {{contract}}


class Difference(Exception):
    pass


class Unreachable(Exception):
    pass


def say(*words):
    print(*words, flush=True)


def plain(value):
    return value.shown if isinstance(value, Kind) else str(value)


def show(value):
    return json.dumps(value, default=plain)  # in ASCII, so that what looks alike can be told apart


def short(value):
    text = show(value)
    return text if len(text) <= 160 else text[:160] + "…"


def differs(expected, got, ids):
    """The story ends here: what was expected, what came instead, and what the contract says about it."""
    rules = [f"({id} {CONTRACT[id]})" for id in ids] or ["(a step that has to work on the way)"]
    raise Difference("\n".join([f"expected {expected}", f"got      {got}", *rules]))


class Nothing:
    def __repr__(self):
        return "nothing"


NOTHING = Nothing()  # where JSON has no value at all


class Kind:
    """What a value may have to be, other than a certain one."""

    def __init__(self, shown, holds):
        self.shown, self.holds = shown, holds
##! until
async def until(there):
    end = time.monotonic() + WAIT
    while not there() and time.monotonic() < end:
        await asyncio.sleep(0.01)
##! ID
ID = Kind("<an id>", lambda value: bool(re.fullmatch("[0-9a-f]{24}", str(value))))
##! TIME
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"
TIME = Kind("<a time>", lambda value: bool(re.fullmatch(ISO, str(value))))
##! WORDS
WORDS = Kind("<words>", lambda value: isinstance(value, str) and value.strip() != "")
##! ABSENT
ABSENT = Kind("<nothing>", lambda value: value is NOTHING)
##! ANSWER
ANSWER = Kind("<a success or an error>", lambda value: isinstance(value, dict) and isinstance(value.get("ok"), bool))
##! unordered
def unordered(items):
    return Kind(items, lambda value: isinstance(value, list) and sorted(map(str, value)) == sorted(items))
##! OK
OK = {"ok": True, "error": ABSENT}
##! refusal
def refusal(code):
    return {"ok": False, "error": code, "message": WORDS, "data": ABSENT}
##! difference same hear exactly order each
def difference(got, wanted, at=""):
    """Where a value is not as wanted, as a JSON pointer; None if it is. It may have more fields than are wanted."""
    if isinstance(wanted, Kind):
        return None if wanted.holds(got) else at
    if isinstance(wanted, dict):
        pairs = [(key, got.get(key, NOTHING), value) for key, value in wanted.items()] if isinstance(got, dict) else None
    elif isinstance(wanted, list):
        alike = isinstance(got, list) and len(got) == len(wanted)
        pairs = list(zip(range(len(wanted)), got, wanted)) if alike else None
    else:
        # True is not 1 in JSON.
        return None if type(got) is type(wanted) and got == wanted else at
    if pairs is None:
        return at
    found = (difference(inner, value, f"{at}/{key}") for key, inner, value in pairs)
    return next((place for place in found if place is not None), None)
##! same each
def same(got, wanted, *ids):
    place = difference(got, wanted)
    if place is not None:
        differs(show(wanted), show(got) + (f"  (see {place})" if place else ""), ids)
##! each
def each(all, wanted, *ids):
    for got in all:
        same(got, wanted, *ids)
##! tally
def tally(acks, wanted, *ids):
    got = {}
    for ack in acks:
        outcome = (ack.get("error") or ("ok" if ack.get("ok") else "no ack")) if isinstance(ack, dict) else "no ack"
        got[outcome] = got.get(outcome, 0) + 1
    if got != wanted:
        differs(show(wanted), show(got), ids)
##! at
def at(value, pointer):
    found = value
    for key in pointer.split("/")[1:]:
        found = found.get(key) if isinstance(found, dict) else None
    return differs(f"something at {pointer}", show(value), ()) if found is None else found
##! fresh
TEXTS = {}


def fresh(label, number=0):
    """A text that no other run has; always the same for the same label and number."""
    return TEXTS.setdefault((label, number), f"{label} {uuid.uuid4().hex[:8]}")
##! always
# A password is meant to be slow to check; how long a request takes is not what this is about.
PATIENCE = max(WAIT, 30)


async def rest(user, method, path, status, body=None, headers=None, token=None):
    say(f"{user.name if user else 'nobody'} → {method} {path}", *([] if body is None else [short(body)]))
    token = token or (user and user.token)
    sent = {**(headers or {}), **(authorization(token) if token else {})}
    try:
        async with http.request(method, REST.rstrip("/") + path, json=body, headers=sent) as response:
            text = await response.text()
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        raise Unreachable(f"{method} {path}: {error or 'no answer in time'}") from error
    if response.status not in status:
        differs("HTTP " + " or ".join(map(str, status)), f"HTTP {response.status} {show(text)}", ())
    try:
        return json.loads(text)
    except ValueError:
        return text


async def register(name):
    try:
        return await sign_up(name)
    except Difference as error:
        raise Unreachable(f"{name} cannot register: {error}") from error
##! rows
def rows(reply, pointer, names=None):
    """The items of a list, under the contract's names."""
    items = at(reply, pointer)
    if not isinstance(items, list):
        differs(f"a list at {pointer}", show(items), ())
    return [{name: at(item, place) for name, place in names.items()} for item in items] if names else items
##! row
def row(rows, id):
    return next((row for row in rows if row["_id"] == id), None)
##! always
class Client:
    def __init__(self, name):
        self.name, self.events, self.refusal, self.reached = name, [], None, False
        self.io = socketio.AsyncClient(reconnection=False)
        self.io.on("*", lambda event, data=None, *more: self.events.append((event, data)))
        self.io.on("connect_error", self.refuse)

    def refuse(self, data):
        # Where there is no connection at all, python-socketio tells of it in the same way.
        self.reached = self.io.eio.state == "connected"
        self.refusal = data


clients = []


async def attempt(name, auth, query):
    """Asks for a connection; gives the client, and whether it was let in."""
    say(f"{name} → connects")
    client = Client(name)
    clients.append(client)
    url = SERVER + ("?" + urllib.parse.urlencode(query) if query else "")
    options = {"transports": ["websocket"], "socketio_path": PATH, "wait_timeout": WAIT}
    try:
        await client.io.connect(url, auth=auth, **options)
        return client, True
    except socketio.exceptions.ConnectionError as error:
        if client.refusal is not None and not client.reached:
            raise Unreachable(f"{name} cannot connect: {error}") from error
        return client, False
##! connect
async def connect(name, auth, query=None, *ids):
    client, accepted = await attempt(name, auth, query)
    if not accepted:
        answer = "no answer" if client.refusal is None else f"CONNECT_ERROR {show(client.refusal)}"
        differs(f"{name} to be let in", answer, ids)
    return client
##! refused
async def refused(name, auth, query=None, *ids):
    client, accepted = await attempt(name, auth, query)
    if client.refusal is not None:
        say(f"{name} ← CONNECT_ERROR {short(client.refusal)}")
        return
    answer = "the connection was accepted" if accepted else "no answer"
    differs(f"{name} to be refused with CONNECT_ERROR", answer, ids)
##! close
async def close(client):
    say(f"{client.name} → disconnects")
    await client.io.disconnect()
##! ask
async def ask(client, event, *args):
    """Sends a request and gives its ack; NOTHING where none comes."""
    say(f"{client.name} → {event}", *map(short, args))
    try:
        ack = await client.io.call(event, args, timeout=WAIT)
    except (socketio.exceptions.TimeoutError, socketio.exceptions.BadNamespaceError):
        say(f"{client.name} ← no ack of {event}")
        return NOTHING
    say(f"{client.name} ← ack of {event} {short(ack)}")
    return ack
##! tell
async def tell(client, event, *args):
    say(f"{client.name} → {event}", *map(short, args), " (no ack)")
    await client.io.emit(event, args)
##! nudge
async def nudge(client, event, *args):
    """Sends a request whose ack may come or not."""
    say(f"{client.name} → {event}", *map(short, args), " (with or without an ack)")
    await client.io.emit(event, args, callback=lambda *ack: None)
##! pause
async def pause(seconds):
    say(f"({seconds} s)")
    await asyncio.sleep(seconds)
##! later
class later:
    """The client, but only what it gets from now on."""

    def __init__(self, client):
        self.name, self.client, self.before = client.name, client, len(client.events)

    @property
    def events(self):
        return self.client.events[self.before :]
##! matching hear exactly
def matching(client, name, wanted):
    return [data for event, data in client.events if event == name and difference(data, wanted) is None]
##! hear
async def hear(client, event, wanted, *ids):
    """Waits for an event, which may have come before."""
    await until(lambda: matching(client, event, wanted))
    heard = matching(client, event, wanted)
    if not heard:
        came = "".join(f"\n         {event} {show(data)}" for event, data in client.events[:-11:-1])
        differs(f"{client.name} to get {event} {show(wanted)}", f"none; what came last:{came or ' nothing'}", ids)
    say(f"{client.name} ← {event} {short(heard[0])}")
    return heard[0]
##! exactly
SETTLE = 0.2  # s in which what is not to come would have come


async def exactly(n, client, event, wanted, *ids):
    """So many events have come, and no more come in a while."""
    await until(lambda: len(matching(client, event, wanted)) >= n)
    await asyncio.sleep(SETTLE)
    got = matching(client, event, wanted)
    times = f"exactly {n}" if n else "no"
    if len(got) != n:
        shown = "".join(f"\n         {event} {show(data)}" for data in got)
        differs(f"{client.name} to get {times} {event} {show(wanted)}", f"{len(got)} of them{shown}", ids)
    say(f"{client.name} {'←' if n else '∅'} {event} {short(wanted)}" + (f"  ({times})" if n else ""))
##! order
def order(client, name, wanted, *ids):
    """Those of these events that have come, have come in this order."""
    came = [data for event, data in client.events if event == name]
    found = [next((n for n, one in enumerate(wanted) if difference(data, one) is None), None) for data in came]
    places = [place for place in found if place is not None]
    if places != sorted(places):
        differs(f"{name} at {client.name} in the order {sorted(places)}", show(places), ids)
    say(f"{client.name} ← {name} in the order of sending")
##! always
def authorization(token):
    return {{authorization}}


async def sign_up(name):
{{sign_up}}


async def replay():
{{story}}


async def main():
    global http
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as http:
        try:
            await replay()
        finally:
            for client in clients:
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
say({{ending}})
