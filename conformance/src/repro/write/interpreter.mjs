// From here on all scripts are the same: what plays the steps above.

import { randomUUID } from "node:crypto";
import { io } from "socket.io-client";

const SERVER = process.argv[2] ?? process.env.CHAT_URL ?? TARGET.url;
if (!SERVER) {
  console.error("usage: node " + process.argv[1] + " URL    (or CHAT_URL=URL)");
  process.exit(2);
}
const WAIT = 1000 * (process.env.CHAT_WAIT ?? 5); // ms for any one answer; give more where the server is in a debugger
const PATIENCE = Math.max(WAIT, 30_000); // for REST: a password is meant to be slow to check
const SETTLE = 200; // ms in which what is not to come would have come

class Difference extends Error {}
class Unreachable extends Error {}

const say = console.log;
// In ASCII, so that what looks alike can be told apart.
const escape = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
const json = (value) => (JSON.stringify(value) ?? "nothing").replace(/[^ -~]/g, escape);
const short = (value) => (json(value).length > 160 ? `${json(value).slice(0, 160)}…` : json(value));
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
async function until(there) {
  for (const end = Date.now() + WAIT; !there() && Date.now() < end; ) await sleep(10);
}

/** The script ends here: what was expected, what came instead, and what the contract says about it. */
function differs(expected, got, checks = []) {
  const rules = checks.map((id) => `(${id} ${CONTRACT[id]})`);
  if (rules.length === 0) rules.push("(a step that has to work on the way)");
  throw new Difference([`expected ${expected}`, `got      ${got}`, ...rules].join("\n"));
}

// What has a name in {{…}}; and what anything may be that only has to be of a kind.
const known = Object.create(null);
const KINDS = {
  "an id": (value) => /^[0-9a-f]{24}$/.test(value),
  "a time": (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$/.test(value),
  "some words": (value) => typeof value === "string" && value.trim() !== "",
  "true or false": (value) => typeof value === "boolean",
  nothing: (value) => value === undefined,
};

function valueOf(name) {
  const [, character, times] = /^(.) \* (\d+)$/su.exec(name) ?? [];
  if (times) return character.repeat(times);
  if (name === "brace") return "{";
  if (name.startsWith("env ")) return process.env[name.slice(4)] ?? "";
  if (name.startsWith("new ")) known[name] ??= `${name.slice(4)} ${randomUUID().slice(0, 8)}`;
  return known[name];
}

const PLACEHOLDER = /\{\{(.+?)\}\}/gsu;
/** The name in a text that is a placeholder and nothing else. */
const nameIn = (text) => (typeof text === "string" ? /^\{\{((?:(?!\}\}).)+)\}\}$/su.exec(text)?.[1] : undefined);

function refuse(name) {
  throw new Error(`nothing is known of {{${name}}}`);
}

/** A value with its placeholders filled in; `unknown` says what stands for one that nothing is known of. */
function fill(value, unknown = refuse) {
  const of = (name) => valueOf(name) ?? unknown(name);
  const name = nameIn(value);
  if (name !== undefined) return of(name);
  if (typeof value === "string") return value.replace(PLACEHOLDER, (_, name) => of(name));
  if (Array.isArray(value)) return value.map((item) => fill(item, unknown));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner, unknown)]));
}
const shown = (value) => json(fill(value, (name) => `<${name}>`));

/**
 * Where a value is not as wanted, as a JSON pointer; null if it is. It may have more fields than are wanted. A name of which
 * nothing is known yet may be any id: `learned` gets it.
 */
function difference(got, wanted, at = "", learned = {}) {
  const name = nameIn(wanted);
  if (Object.hasOwn(KINDS, name)) return KINDS[name](got) ? null : at;
  if (name !== undefined && valueOf(name) === undefined) {
    learned[name] = got;
    return KINDS["an id"](got) ? null : at;
  }
  if (wanted === null || typeof wanted !== "object") return got === fill(wanted) ? null : at;
  if (got === null || typeof got !== "object") return at;
  const [anyOrder, where] = [wanted["{{in any order}}"], wanted["{{where}}"]];
  if ((Array.isArray(wanted) || anyOrder || where) && !Array.isArray(got)) return at;
  if (anyOrder) return json([...got].sort()) === json(fill(anyOrder).sort()) ? null : at;
  if (Array.isArray(wanted) && got.length !== wanted.length) return at;
  const placed = where?.map(([like, is]) => {
    const place = got.findIndex((item) => difference(item, like) === null);
    return [place < 0 ? shown(like) : place, is];
  });
  for (const [key, value] of placed ?? Object.entries(wanted)) {
    const found = difference(Object.hasOwn(got, key) ? got[key] : undefined, value, `${at}/${key}`, learned);
    if (found !== null) return found;
  }
  return null;
}

function same(got, wanted, checks) {
  const at = difference(got, wanted, "", known);
  if (at !== null) differs(shown(wanted), `${json(got)}${at && `  (see ${at})`}`, checks);
}

/** Makes a REST request, and looks at its answer. */
async function request(who, headers, step, prefix = "") {
  const [method, place] = step.request.replace(PLACEHOLDER, (text) => encodeURIComponent(fill(text))).split(" ");
  const body = step.body && fill(step.body);
  say(`${who} → ${method} ${place}${body ? ` ${short(body)}` : ""}`);
  const sent = { ...fill(step.headers ?? {}), ...headers, ...(body && { "content-type": "application/json" }) };
  const options = { method, headers: sent, body: body && JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE) };
  const response = await fetch(new URL(place, TARGET.rest ?? SERVER), options).catch((error) => {
    throw new Unreachable(`${method} ${place}: ${error.cause?.message ?? error.message}`);
  });
  const text = await response.text();
  if (!step.status.includes(response.status)) {
    differs(`HTTP ${step.status.join(" or ")}`, `HTTP ${response.status} ${json(text)}`);
  }
  let reply = text;
  try {
    reply = JSON.parse(text);
  } catch {}
  for (const [name, pointer] of Object.entries(step.take ?? {})) {
    const found = pointer.split("/").slice(1).reduce((inner, key) => inner?.[key], reply);
    known[prefix + name] = found ?? differs(`something at ${pointer}`, json(reply));
  }
  if (step.reply) same(reply, step.reply, step.checks);
}

const sockets = [];
const clients = new Map();
const marks = new Map();

/** Sends a request and gives its ack; undefined where none comes. */
async function ask({ ask: name, event, args }) {
  const sent = fill(args);
  say(`${name} → ${event} ${sent.map(short).join(" ")}`);
  try {
    const ack = await clients.get(name).socket.timeout(WAIT).emitWithAck(event, ...sent);
    say(`${name} ← ack of ${event} ${short(ack)}`);
    return ack;
  } catch {
    say(`${name} ← no ack of ${event}`);
    return undefined;
  }
}

/** What an ack has to be like. */
function wantedAck({ ack, data }) {
  if (ack === "either") return { ok: "{{true or false}}" };
  if (ack === "ok") return { ok: true, error: "{{nothing}}", ...(data && { data }) };
  return { ok: false, error: ack, message: "{{some words}}", data: "{{nothing}}" };
}

/** The events of a step's client, from its mark on. */
const events = (name, since) => clients.get(name).events.slice(marks.get(since) ?? 0);
const matching = (name, { event, wanted, since }) =>
  events(name, since).filter((one) => one.event === event && difference(one.data, wanted) === null);

const PLAY = {
  async register({ register: name }) {
    const handle = `${name.replace(/\W+/g, "_")}_${randomUUID().slice(0, 8)}`;
    Object.assign(known, { name, handle, email: `${handle}@example.org`, password: randomUUID() });
    try {
      for (const step of TARGET.sign_up) await request("nobody", {}, step, `${name}.`);
    } catch (error) {
      throw new Unreachable(`${name} cannot register: ${error.message}`);
    }
  },

  async rest(step) {
    known.token = fill(step.token ?? `{{${step.rest}.token}}`);
    await request(step.rest, fill(TARGET.authorization), step);
  },

  async connect({ connect: name, auth, query, refused, checks }) {
    say(`${name} → connects`);
    const options = { path: TARGET.path, transports: ["websocket"], reconnection: false, forceNew: true, timeout: WAIT };
    const socket = io(SERVER, { ...options, auth: fill(auth), query: fill(query) });
    const client = { socket, events: [] };
    sockets.push(socket);
    clients.set(name, client);
    socket.onAny((event, data) => client.events.push({ event, data }));
    const answer = await new Promise((done, failed) => {
      const timer = setTimeout(() => done({}), WAIT);
      const settle = (what) => (clearTimeout(timer), done(what));
      socket.on("connect", () => settle({ connected: true }));
      socket.on("connect_error", (error) => {
        // A socket that is still active was not refused: there is no connection at all.
        if (socket.active) return failed(new Unreachable(`${name} cannot connect: ${error.message}`));
        settle({ refusal: { message: error.message, data: error.data } });
      });
    });
    if (!refused && !answer.connected) {
      differs(`${name} to be let in`, answer.refusal ? `CONNECT_ERROR ${json(answer.refusal)}` : "no answer", checks);
    }
    if (refused && !answer.refusal) {
      const instead = answer.connected ? "the connection was accepted" : "no answer";
      differs(`${name} to be refused with CONNECT_ERROR`, instead, checks);
    }
    if (refused) say(`${name} ← CONNECT_ERROR ${short(answer.refusal)}`);
  },

  async ask(step) {
    same(await ask(step), wantedAck(step), step.checks);
  },

  async at_once({ at_once: asks, acks: wanted, checks }) {
    const acks = await Promise.all(asks.map(ask));
    if (!wanted) return acks.forEach((ack, n) => same(ack, wantedAck(asks[n]), checks));
    const got = {};
    for (const ack of acks) {
      const outcome = ack?.error ?? (ack?.ok ? "ok" : "no ack");
      got[outcome] = (got[outcome] ?? 0) + 1;
    }
    const sorted = (counts) => json(Object.entries(counts).sort());
    if (sorted(got) !== sorted(wanted)) differs(json(wanted), json(got), checks);
  },

  async send({ send: name, event, args, ack }) {
    const sent = fill(args);
    say(`${name} → ${event} ${sent.map(short).join(" ")}  (${ack ? "with or without an ack" : "no ack"})`);
    clients.get(name).socket.emit(event, ...sent, ...(ack ? [() => {}] : []));
  },

  async close({ close: name }) {
    say(`${name} → disconnects`);
    clients.get(name).socket.close();
  },

  async pause({ pause: seconds }) {
    say(`(${seconds} s)`);
    await sleep(seconds * 1000);
  },

  async mark({ mark: name, as }) {
    marks.set(as, clients.get(name).events.length);
  },

  /** Waits for an event, which may have come before. */
  async hear({ hear: name, ...step }) {
    await until(() => matching(name, step).length > 0);
    const [heard] = matching(name, step);
    if (!heard) {
      const came = events(name, step.since).map(({ event, data }) => `\n         ${event} ${json(data)}`);
      const last = came.reverse().slice(0, 10).join("") || " nothing";
      differs(`${name} to get ${step.event} ${shown(step.wanted)}`, `none; what came last:${last}`, step.checks);
    }
    same(heard.data, step.wanted);
    say(`${name} ← ${step.event} ${short(heard.data)}`);
  },

  /** So many events have come, and no more come in a while. */
  async count({ count: name, times, ...step }) {
    await until(() => matching(name, step).length >= times);
    await sleep(SETTLE);
    const got = matching(name, step);
    const number = times === 0 ? "no" : `exactly ${times}`;
    if (got.length !== times) {
      const came = got.map(({ event, data }) => `\n         ${event} ${json(data)}`).join("");
      differs(`${name} to get ${number} ${step.event} ${shown(step.wanted)}`, `${got.length} of them${came}`, step.checks);
    }
    const wanted = fill(step.wanted, (name) => `<${name}>`);
    say(`${name} ${times === 0 ? "∅" : "←"} ${step.event} ${short(wanted)}${times === 0 ? "" : `  (${number})`}`);
  },

  /** Those of these events that have come, have come in this order. */
  async order({ order: name, event, wanted, checks }) {
    const place = ({ data }) => wanted.findIndex((one) => difference(data, one) === null);
    const places = events(name).filter((one) => one.event === event).map(place).filter((at) => at >= 0);
    const sorted = [...places].sort((one, other) => one - other);
    if (json(places) !== json(sorted)) differs(`${event} at ${name} in the order ${json(sorted)}`, json(places), checks);
    say(`${name} ← ${event} in the order of sending`);
  },
};

try {
  for (const step of STEPS) await PLAY[Object.keys(step)[0]](step);
  say(["\nas the contract says", ...LEFT_OUT].join("; ").replace("; ", "; not looked at: "));
} catch (error) {
  const isKnown = error instanceof Difference || error instanceof Unreachable;
  say(`\n${isKnown ? error.message : error.stack}`);
  process.exitCode = error instanceof Difference ? 1 : 2;
} finally {
  sockets.forEach((socket) => socket.close());
}
