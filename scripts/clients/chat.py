"""Two users meet through python-socketio: refuse, connect, join, send, receive, ack.

Usage: python chat.py http://127.0.0.1:4000
"""

import asyncio
import sys
import uuid

import aiohttp
import socketio

WITHIN = 5  # seconds for any one answer


async def rest(http, method, path, body, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with http.request(method, path, json=body, headers=headers) as response:
        assert response.ok, f"{method} {path}: {response.status}"
        return await response.json()


async def register(http, name):
    body = {"email": f"{name}-{uuid.uuid4()}@example.org", "password": "correct horse", "name": name}
    return await rest(http, "POST", "/v1/auth/register", body)


async def connect(url, token):
    client = socketio.AsyncClient(reconnection=False)
    await client.connect(url, auth={"token": token}, transports=["websocket"], wait_timeout=WITHIN)
    return client


def next_event(client, name):
    """The payload of the next event of that name; ask before what causes it."""
    future = asyncio.get_running_loop().create_future()

    @client.on(name)
    async def heard(payload):
        if not future.done():
            future.set_result(payload)

    return asyncio.wait_for(future, WITHIN)


async def conversation(url, http):
    alice, bob = await asyncio.gather(register(http, "alice"), register(http, "bob"))
    group = {"type": "group", "memberIds": [bob["user"]["id"]]}
    chat = await rest(http, "POST", "/v1/chats", group, alice["accessToken"])

    try:
        await connect(url, "no such token")
    except socketio.exceptions.ConnectionError:
        pass
    else:
        raise AssertionError("a garbage token was let in")

    a, b = await connect(url, alice["accessToken"]), await connect(url, bob["sessionToken"])
    for client in (a, b):
        assert await client.call("room:join", {"chatId": chat["_id"]}, timeout=WITHIN) == {"ok": True}

    body, client_id = "שלום 👋", str(uuid.uuid4())
    heard = asyncio.gather(next_event(a, "message:new"), next_event(b, "message:new"))
    send = {"chatId": chat["_id"], "clientId": client_id, "body": body}
    ack = await a.call("message:send", send, timeout=WITHIN)
    assert ack["ok"] and ack["data"]["clientId"] == client_id, ack
    for event in await heard:
        message = event["message"]
        assert message["_id"] == ack["data"]["serverId"], event
        assert message["body"] == body and message["senderId"] == alice["user"]["id"], event

    refused = await b.call("room:join", {"chatId": "nonsense"}, timeout=WITHIN)
    assert refused["error"] == "VALIDATION_ERROR", refused
    await a.disconnect()
    await b.disconnect()


async def main(url):
    async with aiohttp.ClientSession(url) as http:
        await conversation(url, http)
    print("python-socketio, websocket: connected, joined, sent, received, acked")


asyncio.run(main(sys.argv[1]))
