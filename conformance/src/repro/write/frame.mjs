//# always
{{header}}

import { randomUUID } from "node:crypto";
import { io } from "socket.io-client";

const SERVER = process.argv[2] ?? process.env.CHAT_URL{{url}};
if (!SERVER) {
  console.error("usage: node " + process.argv[1] + " URL    (or CHAT_URL=URL)");
  process.exit(2);
}
const REST = {{rest}};
const PATH = {{path}};
const WAIT = 1000 * (process.env.CHAT_WAIT ?? 5); // ms for any one answer; give more where the server is in a debugger

const CONTRACT = {{contract}};

class Difference extends Error {}
class Unreachable extends Error {}

const say = console.log;
// In ASCII, so that what looks alike can be told apart.
const escape = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
const json = (value) => (JSON.stringify(value) ?? "nothing").replace(/[^ -~]/g, escape);
const short = (value) => (json(value).length > 160 ? `${json(value).slice(0, 160)}…` : json(value));
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** The story ends here: what was expected, what came instead, and what the contract says about it. */
function differs(expected, got, ids) {
  const rules = ids.length ? ids.map((id) => `(${id} ${CONTRACT[id]})`) : ["(a step that has to work on the way)"];
  throw new Difference([`expected ${expected}`, `got      ${got}`, ...rules].join("\n"));
}
//# until
async function until(there) {
  for (const end = Date.now() + WAIT; !there() && Date.now() < end; ) await sleep(10);
}
//# kind ID TIME WORDS ABSENT ANSWER unordered difference
// What a value may have to be, other than a certain one.
const kind = (name, holds) => ({ holds, toJSON: () => `<${name}>` });
//# ID
const ID = kind("an id", (value) => /^[0-9a-f]{24}$/.test(value));
//# TIME
const TIME = kind("a time", (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$/.test(value));
//# WORDS
const WORDS = kind("words", (value) => typeof value === "string" && value.trim() !== "");
//# ABSENT
const ABSENT = kind("nothing", (value) => value === undefined);
//# ANSWER
const ANSWER = kind("a success or an error", (value) => typeof value?.ok === "boolean");
//# unordered
const unordered = (items) =>
  Object.assign(kind("", (value) => Array.isArray(value) && difference([...value].sort(), [...items].sort()) === null), {
    toJSON: () => items,
  });
//# OK
const OK = { ok: true, error: ABSENT };
//# refusal
const refusal = (code) => ({ ok: false, error: code, message: WORDS, data: ABSENT });
//# difference same hear exactly order each
/** Where a value is not as wanted, as a JSON pointer; null if it is. It may have more fields than are wanted. */
function difference(got, wanted, at = "") {
  if (typeof wanted?.holds === "function") return wanted.holds(got) ? null : at;
  if (wanted === null || typeof wanted !== "object") return got === wanted ? null : at;
  if (got === null || typeof got !== "object") return at;
  if (Array.isArray(wanted) && got.length !== wanted.length) return at;
  for (const [key, value] of Object.entries(wanted)) {
    const found = difference(Object.hasOwn(got, key) ? got[key] : undefined, value, `${at}/${key}`);
    if (found !== null) return found;
  }
  return null;
}
//# same each
function same(got, wanted, ...ids) {
  const at = difference(got, wanted);
  if (at !== null) differs(json(wanted), `${json(got)}${at && `  (see ${at})`}`, ids);
}
//# each
const each = (all, wanted, ...ids) => all.forEach((got) => same(got, wanted, ...ids));
//# tally
function tally(acks, wanted, ...ids) {
  const got = {};
  for (const ack of acks) got[ack?.error ?? (ack?.ok ? "ok" : "no ack")] = (got[ack?.error ?? (ack?.ok ? "ok" : "no ack")] ?? 0) + 1;
  const sorted = (counts) => json(Object.entries(counts).sort());
  if (sorted(got) !== sorted(wanted)) differs(json(wanted), json(got), ids);
}
//# at
function at(value, pointer) {
  const found = pointer.split("/").slice(1).reduce((inner, key) => inner?.[key], value);
  return found ?? differs(`something at ${pointer}`, json(value), []);
}
//# fresh
const texts = new Map();
/** A text that no other run has; always the same for the same label and number. */
function fresh(label, number = 0) {
  const key = `${label} #${number}`;
  if (!texts.has(key)) texts.set(key, `${label} ${randomUUID().slice(0, 8)}`);
  return texts.get(key);
}
//# always
// A password is meant to be slow to check; how long a request takes is not what this is about.
const PATIENCE = Math.max(WAIT, 30_000);

async function rest(user, method, path, status, body, headers = {}, token = user?.token) {
  say(`${user?.name ?? "nobody"} → ${method} ${path}${body ? ` ${short(body)}` : ""}`);
  const sent = { ...headers, ...(token && authorization(token)), ...(body && { "content-type": "application/json" }) };
  const request = { method, headers: sent, body: body && JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE) };
  const response = await fetch(new URL(path, REST), request).catch((error) => {
    throw new Unreachable(`${method} ${path}: ${error.cause?.message ?? error.message}`);
  });
  const text = await response.text();
  if (!status.includes(response.status)) differs(`HTTP ${status.join(" or ")}`, `HTTP ${response.status} ${json(text)}`, []);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function register(name) {
  try {
    return await signUp(name);
  } catch (error) {
    throw new Unreachable(`${name} cannot register: ${error.message}`);
  }
}
//# rows
/** The items of a list, under the contract's names. */
function rows(reply, pointer, names) {
  const items = at(reply, pointer);
  if (!Array.isArray(items)) differs(`a list at ${pointer}`, json(items), []);
  if (!names) return items;
  const named = (item) => Object.entries(names).map(([name, place]) => [name, at(item, place)]);
  return items.map((item) => Object.fromEntries(named(item)));
}
//# row
const row = (rows, id) => rows.find((row) => row._id === id);
//# always
const sockets = [];
/** Asks for a connection; gives the socket, or the refusal. */
async function open(name, auth, query) {
  say(`${name} → connects`);
  const options = { path: PATH, transports: ["websocket"], reconnection: false, forceNew: true, timeout: WAIT };
  const socket = io(SERVER, { ...options, auth: auth ?? undefined, query: query ?? undefined });
  sockets.push(socket);
  const client = { name, socket, events: [] };
  socket.onAny((event, data) => client.events.push({ event, data }));
  return new Promise((done, failed) => {
    const timer = setTimeout(() => done({ client, refusal: undefined }), WAIT);
    const settle = (what) => (clearTimeout(timer), done(what));
    socket.on("connect", () => settle({ client, connected: true }));
    socket.on("connect_error", (error) => {
      // A socket that is still active was not refused: there is no connection at all.
      if (socket.active) return failed(new Unreachable(`${name} cannot connect: ${error.message}`));
      settle({ client, refusal: { message: error.message, data: error.data } });
    });
  });
}
//# connect
async function connect(name, auth, query, ...ids) {
  const { client, connected, refusal } = await open(name, auth, query);
  if (!connected) differs(`${name} to be let in`, refusal ? `CONNECT_ERROR ${json(refusal)}` : "no answer", ids);
  return client;
}
//# refused
async function refused(name, auth, query, ...ids) {
  const { client, connected, refusal } = await open(name, auth, query);
  if (refusal) return say(`${name} ← CONNECT_ERROR ${short(refusal)}`);
  client.socket.close();
  return differs(`${name} to be refused with CONNECT_ERROR`, connected ? "the connection was accepted" : "no answer", ids);
}
//# close
async function close(client) {
  say(`${client.name} → disconnects`);
  client.socket.close();
}
//# ask
/** Sends a request and gives its ack; undefined where none comes. */
async function ask(client, event, ...args) {
  say(`${client.name} → ${event} ${args.map(short).join(" ")}`);
  try {
    const ack = await client.socket.timeout(WAIT).emitWithAck(event, ...args);
    say(`${client.name} ← ack of ${event} ${short(ack)}`);
    return ack;
  } catch {
    say(`${client.name} ← no ack of ${event}`);
    return undefined;
  }
}
//# tell
async function tell(client, event, ...args) {
  say(`${client.name} → ${event} ${args.map(short).join(" ")}  (no ack)`);
  client.socket.emit(event, ...args);
}
//# nudge
/** Sends a request whose ack may come or not. */
async function nudge(client, event, ...args) {
  say(`${client.name} → ${event} ${args.map(short).join(" ")}  (with or without an ack)`);
  client.socket.emit(event, ...args, () => {});
}
//# pause
async function pause(seconds) {
  say(`(${seconds} s)`);
  await sleep(seconds * 1000);
}
//# later
/** The client, but only what it gets from now on. */
function later(client) {
  const before = client.events.length;
  return { name: client.name, get events() { return client.events.slice(before); } };
}
//# matching hear exactly
const matching = (client, name, wanted) =>
  client.events.filter(({ event, data }) => event === name && difference(data, wanted) === null);
//# hear
/** Waits for an event, which may have come before. */
async function hear(client, event, wanted, ...ids) {
  await until(() => matching(client, event, wanted).length > 0);
  const [heard] = matching(client, event, wanted);
  const came = client.events.map(({ event, data }) => `\n         ${event} ${json(data)}`).reverse().slice(0, 10);
  if (!heard) differs(`${client.name} to get ${event} ${json(wanted)}`, `none; what came last:${came.join("") || " nothing"}`, ids);
  say(`${client.name} ← ${event} ${short(heard.data)}`);
  return heard.data;
}
//# exactly
const SETTLE = 200; // ms in which what is not to come would have come
/** So many events have come, and no more come in a while. */
async function exactly(n, client, event, wanted, ...ids) {
  await until(() => matching(client, event, wanted).length >= n);
  await sleep(SETTLE);
  const got = matching(client, event, wanted);
  const shown = got.map(({ data }) => `\n         ${event} ${json(data)}`);
  const times = n === 0 ? "no" : `exactly ${n}`;
  if (got.length !== n) differs(`${client.name} to get ${times} ${event} ${json(wanted)}`, `${got.length} of them${shown.join("")}`, ids);
  say(`${client.name} ${n === 0 ? "∅" : "←"} ${event} ${short(wanted)}${n === 0 ? "" : `  (${times})`}`);
}
//# order
/** Those of these events that have come, have come in this order. */
function order(client, name, wanted, ...ids) {
  const place = (data) => wanted.findIndex((one) => difference(data, one) === null);
  const places = client.events.filter(({ event }) => event === name).map(({ data }) => place(data)).filter((at) => at >= 0);
  const sorted = [...places].sort((one, other) => one - other);
  if (json(places) !== json(sorted)) differs(`${name} at ${client.name} in the order ${json(sorted)}`, json(places), ids);
  say(`${client.name} ← ${name} in the order of sending`);
}
//# always
const authorization = (token) => ({{authorization}});

async function signUp(name) {
{{sign_up}}
}

async function replay() {
{{story}}
}

replay()
  .then(() => say({{ending}}))
  .catch((error) => {
    const known = error instanceof Difference || error instanceof Unreachable;
    say(`\n${known ? error.message : error.stack}`);
    process.exitCode = error instanceof Difference ? 1 : 2;
  })
  .finally(() => sockets.forEach((socket) => socket.close()));
