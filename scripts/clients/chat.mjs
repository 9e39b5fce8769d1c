// Two users meet through the official JavaScript client: refuse, connect, join, send, receive, ack.
// Usage: node chat.mjs http://127.0.0.1:4000
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { io } from "socket.io-client";

const url = process.argv[2];
const within = 5_000; // ms for any one answer

async function rest(method, path, body, token) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.json();
}

function register(name) {
  const email = `${name}-${randomUUID()}@example.org`;
  return rest("POST", "/v1/auth/register", { email, password: "correct horse", name });
}

function socket(token, transports) {
  return io(url, { auth: { token }, transports, reconnection: false, forceNew: true });
}

function once(emitter, event) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} within ${within} ms`)), within);
    emitter.once(event, (value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}

async function conversation(transports) {
  const [alice, bob] = await Promise.all([register("alice"), register("bob")]);
  const chat = await rest("POST", "/v1/chats", { type: "group", memberIds: [bob.user.id] }, alice.accessToken);

  const stranger = socket("no such token", transports);
  assert.equal((await once(stranger, "connect_error")).message, "UNAUTHORIZED");
  stranger.close();

  const [a, b] = [socket(alice.accessToken, transports), socket(bob.sessionToken, transports)];
  await Promise.all([once(a, "connect"), once(b, "connect")]);
  for (const client of [a, b]) {
    assert.deepEqual(await client.timeout(within).emitWithAck("room:join", { chatId: chat._id }), { ok: true });
  }

  const clientId = randomUUID();
  const body = "Grüße, 👩‍👩‍👧‍👦!";
  const heard = Promise.all([once(a, "message:new"), once(b, "message:new")]);
  const ack = await a.timeout(within).emitWithAck("message:send", { chatId: chat._id, clientId, body });
  assert.deepEqual({ ok: ack.ok, clientId: ack.data.clientId }, { ok: true, clientId });
  for (const { message } of await heard) {
    assert.equal(message._id, ack.data.serverId);
    assert.equal(message.body, body);
    assert.equal(message.senderId, alice.user.id);
  }

  const refused = await b.timeout(within).emitWithAck("room:join", { chatId: "nonsense" });
  assert.equal(refused.error, "VALIDATION_ERROR");
  a.close();
  b.close();
}

for (const transports of [["websocket"], ["polling", "websocket"]]) {
  await conversation(transports);
  console.log(`socket.io-client, ${transports.join(" then ")}: connected, joined, sent, received, acked`);
}
