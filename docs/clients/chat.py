"""A chat in the terminal, with python-socketio: what is typed is sent line by line, and no message is lost or doubled.

    python chat.py URL EMAIL PASSWORD              waits until somebody begins a chat
    python chat.py URL EMAIL PASSWORD USER_ID      begins one with this user

`Chat` is the part to copy. Everything below it is only there to read a keyboard and to write lines.
"""

import asyncio
import contextlib
import logging
import sys
import time
import uuid

import aiohttp
import socketio
from socketio.exceptions import SocketIOError

OVERLAP = 50  # how many messages are listed once more after a connection was lost
ACK_TIMEOUT = 5  # seconds


class Refused(Exception):
    """A refusal, with the code that clients branch on."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Chat:
    """One chat of one user. `view` has a method for everything that is to be told."""

    def __init__(self, url, email, password, partner, view):
        self.url, self.email, self.password = url, email, password
        self.partner, self.view = partner, view
        self.user_id = self.token = self.chat_id = ""
        self.http = None
        self.socket = socketio.AsyncClient(reconnection=False)  # keep_connected does it
        self.refused = False
        self.news = asyncio.Event()  # there is a chat, or no connection any more
        self.opened = False  # whether the newest messages have been listed once
        self.live = False  # joined, and nothing is missing any more
        self.known = {}  # what was shown, by id: what comes a second time is the same message
        self.held = []  # what has come while older messages were still being listed
        self.cursor = None  # up to this message nothing is missing
        self.outbox = []
        self.wake = asyncio.Event()
        self.read_up_to = ""
        self.typing_since = 0
        self.typing_stop = None
        self.typists = {}
        self.tasks = set()

    async def open(self):
        """Logs in and connects; from then on it keeps itself connected."""
        self.http = aiohttp.ClientSession(self.url, timeout=aiohttp.ClientTimeout(total=10))
        await self.log_in()
        self.listen()
        self.background(self.keep_connected())
        self.background(self.flush())

    async def close(self):
        """Sends what still waits, and leaves."""
        while self.outbox:
            await asyncio.sleep(0.05)
        await self.stop_typing()
        await self.socket.disconnect()
        for task in self.tasks:
            task.cancel()
        await self.http.close()

    def background(self, work):
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    # --- Who one is ---

    async def log_in(self):
        """Logs in; who is not known yet is registered."""
        login = {"email": self.email, "password": self.password}
        try:
            session = await self.request("POST", "/v1/auth/login", login)
        except Refused as refused:
            if refused.code != "UNAUTHORIZED":
                raise
            session = await self.request("POST", "/v1/auth/register", {**login, "name": self.email})
        self.user_id, self.token = session["user"]["id"], session["accessToken"]

    async def rest(self, method, path, body=None):
        """A request with the token. One that is no longer valid is replaced, once."""
        try:
            return await self.request(method, path, body)
        except Refused as refused:
            if refused.code != "UNAUTHORIZED":
                raise
            await self.log_in()
            return await self.request(method, path, body)

    async def request(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.request(method, path, json=body, headers=headers) as response:
            answer = await response.json()
            if not response.ok:
                raise Refused(answer["code"], answer["error"])
            return answer

    # --- Being connected ---

    async def keep_connected(self):
        """Connects, stays until the connection ends, and begins again."""
        while True:
            try:
                if self.refused:
                    await self.log_in()
                    self.refused = False
                auth = {"token": self.token}
                await self.socket.connect(self.url, auth=auth, transports=["websocket"], wait_timeout=10)
                await self.enter()
                await self.socket.wait()
            except Exception as why:  # whatever it was, the next attempt may work
                logging.info("not connected: %s", why)
                if self.socket.connected:
                    await self.socket.disconnect()
                await asyncio.sleep(1)

    async def enter(self):
        """A new connection is in no room, and gets nothing of what came before it: join, then list, then be live."""
        self.chat_id = await self.find_chat()
        joined = await self.socket.call("room:join", {"chatId": self.chat_id}, timeout=ACK_TIMEOUT)
        if not joined["ok"]:
            raise Refused(joined["error"], joined["message"])
        await self.catch_up()
        if not self.socket.connected:
            return
        self.opened = self.live = True
        for message in self.held:
            self.keep(message)
        self.held = []
        self.view.ready()
        self.background(self.read())
        self.wake.set()

    async def find_chat(self):
        """The chat with the partner, or else the latest one, as soon as there is one."""
        if self.chat_id:
            return self.chat_id
        if self.partner:
            dm = {"type": "dm", "memberIds": [self.partner]}
            return (await self.rest("POST", "/v1/chats", dm))["_id"]
        while self.socket.connected and not self.chat_id:
            self.news.clear()
            chats = (await self.rest("GET", "/v1/chats?limit=1"))["chats"]
            if chats:
                return chats[0]["_id"]
            await self.news.wait()
        return self.chat_id

    async def catch_up(self):
        """Lists what is missing: at first the newest page; later all that is newer than the cursor, if there is one."""
        missing, last = [], self.cursor
        direction = "after" if self.cursor else "before"  # oldest first, or newest first
        while True:
            query = "limit=200" + (f"&{direction}={last}" if last else "")
            page = await self.rest("GET", f"/v1/chats/{self.chat_id}/messages?{query}")
            missing += page["messages"]
            last = page["messages"][-1]["_id"] if page["messages"] else None
            if not last or not self.opened:
                break
        if direction == "before":
            missing.reverse()
        for message in missing:
            self.keep(message)

    # --- What comes in ---

    def listen(self):
        on = self.socket.on
        on("connect_error", self.on_connect_error)
        on("disconnect", self.on_disconnect)
        on("message:new", self.on_message)
        on("receipt:update", self.on_receipt)
        on("typing:update", self.on_typing)
        on("presence:update", lambda event: self.view.presence(event["userId"], event["status"] == "online"))
        on("chat:update", self.on_chat)

    def on_connect_error(self, why):
        self.refused = isinstance(why, dict)  # the server's answer, and not a text about the network

    def on_disconnect(self, _reason):
        if self.live:
            # Messages of several senders may overtake each other on the way, so there is some overlap.
            ids = sorted(self.known)
            self.cursor = ids[-OVERLAP] if len(ids) >= OVERLAP else None
        self.live, self.held = False, []
        self.news.set()
        self.view.lost()

    def on_message(self, event):
        message = event["message"]
        if message["chatId"] != self.chat_id:
            return
        if not self.live:
            self.held.append(message)
            return
        self.keep(message)
        self.background(self.read())

    def on_receipt(self, event):
        if event["chatId"] == self.chat_id and event["userId"] != self.user_id:
            self.view.read(event["userId"], self.known.get(event["messageId"]))

    def on_typing(self, event):
        if event["chatId"] == self.chat_id:
            self.types(event["userId"], event["state"] == "start")

    def on_chat(self, event):
        if not self.chat_id and self.user_id in event["chat"]["memberIds"]:
            self.chat_id = event["chat"]["_id"]
            self.news.set()

    def keep(self, message):
        """Shows a message, once."""
        if message["_id"] not in self.known:
            self.known[message["_id"]] = message
            self.view.message(message, message["senderId"] == self.user_id)

    def types(self, user_id, types):
        """Who has begun to type and is not heard of again has stopped."""
        timer = self.typists.pop(user_id, None)
        if timer:
            timer.cancel()
        if types:
            loop = asyncio.get_running_loop()
            self.typists[user_id] = loop.call_later(10, self.types, user_id, False)
        if types != (timer is not None):
            self.view.typing(user_id, types)

    # --- What goes out ---

    async def say(self, body):
        """Sends a message as soon as that is possible."""
        self.outbox.append({"clientId": str(uuid.uuid4()), "body": body})
        await self.stop_typing()
        self.wake.set()

    async def flush(self):
        """Sends one message after the other, each until it is acknowledged, and always under the same clientId."""
        tries = 0
        while True:
            if not (self.live and self.outbox):
                self.wake.clear()
                await self.wake.wait()
                continue
            message = self.outbox[0]
            # Without an ack nobody knows whether it was stored. Sent again under its clientId it stays one message.
            ack = await self.ask("message:send", {"chatId": self.chat_id, **message})
            if ack and (ack["ok"] or ack["error"] not in ("RATE_LIMITED", "INTERNAL")):
                self.outbox.pop(0)
                if not ack["ok"]:
                    self.view.not_sent(message["body"], ack["message"])
                tries = 0
            elif ack:
                await asyncio.sleep(min(0.5 * 2**tries, 10))
                tries += 1

    async def ask(self, event, payload):
        """The ack of a request; None where there is none."""
        try:
            return await self.socket.call(event, payload, timeout=ACK_TIMEOUT)
        except SocketIOError:
            return None

    async def tell(self, event):
        """Tells something that is of no use later, and so is left out where there is no connection."""
        with contextlib.suppress(SocketIOError):
            await self.socket.emit(event, {"chatId": self.chat_id})

    async def read(self):
        """Tells that everything has been read."""
        newest = max(self.known, default="")
        if not newest or newest == self.read_up_to:
            return
        # Where it is not acknowledged it is told again with the next message, or after the next connection.
        ack = await self.ask("receipt:read", {"chatId": self.chat_id, "messageId": newest})
        if ack and ack["ok"]:
            self.read_up_to = newest

    async def typing(self):
        """To be called at every key: begins, says so again every five seconds, and ends when no key follows for three."""
        if not self.live:
            return
        if time.monotonic() - self.typing_since > 5:
            self.typing_since = time.monotonic()
            await self.tell("typing:start")
        if self.typing_stop:
            self.typing_stop.cancel()
        loop = asyncio.get_running_loop()
        self.typing_stop = loop.call_later(3, lambda: self.background(self.stop_typing()))

    async def stop_typing(self):
        if self.typing_stop:
            self.typing_stop.cancel()
        typed, self.typing_since, self.typing_stop = self.typing_since, 0, None
        if typed and self.live:
            await self.tell("typing:stop")


# --- The terminal ---


class Terminal:
    """Writes a line for everything that happens."""

    def ready(self):
        print("* connected", flush=True)

    def lost(self):
        print("* disconnected", flush=True)

    def message(self, message, mine):
        print(f"{'you' if mine else message['senderId']}: {message['body']}", flush=True)

    def not_sent(self, body, why):
        print(f"* not sent: {body} ({why})", flush=True)

    def read(self, user_id, message):
        print(f"* {user_id} has read: {message['body'] if message else 'an older message'}", flush=True)

    def typing(self, user_id, types):
        print(f"* {user_id} {'is typing' if types else 'has stopped typing'}", flush=True)

    def presence(self, user_id, online):
        print(f"* {user_id} is {'online' if online else 'offline'}", flush=True)


async def main(url, email, password, partner=None):
    chat = Chat(url, email, password, partner, Terminal())
    await chat.open()
    print(f"* you are {chat.user_id}", flush=True)

    # A terminal hands over whole lines; where the beginning of one comes first, somebody is typing.
    keyboard, begun = asyncio.StreamReader(), b""
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(keyboard), sys.stdin)
    while piece := await keyboard.read(65536):
        *lines, begun = (begun + piece).split(b"\n")
        for line in lines:
            await chat.say(line.decode())
        if begun:
            await chat.typing()
    await chat.close()


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit("usage: python chat.py URL EMAIL PASSWORD [USER_ID]")
    asyncio.run(main(*sys.argv[1:]))
