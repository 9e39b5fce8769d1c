// A chat in the terminal, with socket.io-client: what is typed is sent line by line, and no message is lost or doubled.
//
//     node chat.js URL EMAIL PASSWORD              waits until somebody begins a chat
//     node chat.js URL EMAIL PASSWORD USER_ID      begins one with this user
//
// `Chat` is the part to copy. Everything below it is only there to read a keyboard and to write lines.

import { createInterface, emitKeypressEvents } from "node:readline";
import { io, type Socket } from "socket.io-client";

interface Message {
  _id: string;
  chatId: string;
  senderId: string;
  body: string;
  clientId?: string;
  createdAt: string;
  editedAt?: string;
  deleted: boolean;
}

interface ChatInfo {
  _id: string;
  type: "dm" | "group";
  title: string | null;
  memberIds: string[];
}

interface Session {
  user: { id: string };
  accessToken: string;
}

type ErrorCode = "UNAUTHORIZED" | "FORBIDDEN" | "VALIDATION_ERROR" | "RATE_LIMITED" | "NOT_FOUND" | "INTERNAL";
type Failure = { ok: false; error: ErrorCode; message: string; correlationId?: string };
type Reply<Success = unknown> = (reply: ({ ok: true } & Success) | Failure) => void;

interface ServerEvents {
  "message:new": (event: { message: Message }) => void;
  "chat:update": (event: { chat: ChatInfo }) => void;
  "receipt:update": (event: { chatId: string; messageId: string; userId: string; readAt: string }) => void;
  "typing:update": (event: { chatId: string; userId: string; state: "start" | "stop" }) => void;
  "presence:update": (event: { userId: string; status: "online" | "offline" }) => void;
}

interface ClientEvents {
  "room:join": (room: { chatId: string }, reply: Reply) => void;
  "message:send": (
    message: { chatId: string; clientId: string; body: string },
    reply: Reply<{ data: { clientId: string; serverId: string } }>,
  ) => void;
  "receipt:read": (receipt: { chatId: string; messageId: string }, reply: Reply) => void;
  "typing:start": (room: { chatId: string }) => void;
  "typing:stop": (room: { chatId: string }) => void;
}

/** How many messages are listed once more after a connection was lost. */
const OVERLAP = 50;

const pause = (ms: number) => new Promise<void>((resume) => setTimeout(resume, ms));

/** What a chat has to tell. */
interface View {
  ready(): void;
  lost(): void;
  message(message: Message, mine: boolean): void;
  notSent(body: string, why: string): void;
  read(userId: string, message: Message | undefined): void;
  typing(userId: string, types: boolean): void;
  presence(userId: string, online: boolean): void;
}

/** A refusal, with the code that clients branch on. */
class Refused extends Error {
  constructor(readonly code: ErrorCode, message: string) {
    super(message);
  }
}

/** One chat of one user. */
class Chat {
  userId = "";

  readonly #url: string;
  readonly #login: { email: string; password: string };
  readonly #partner: string | undefined;
  readonly #view: View;
  #token = "";
  #socket!: Socket<ServerEvents, ClientEvents>;

  #chatId = "";
  /** Whether the newest messages have been listed once. */
  #opened = false;
  /** Joined, and nothing is missing any more. */
  #live = false;
  /** What was shown, by id: what comes a second time is the same message. */
  readonly #known = new Map<string, Message>();
  /** What has come while older messages were still being listed. */
  #held: Message[] = [];
  /** Up to this message nothing is missing. */
  #cursor: string | undefined;

  #outbox: { clientId: string; body: string }[] = [];
  #sending = false;
  #readUpTo = "";
  #typing = { since: 0, stop: undefined as NodeJS.Timeout | undefined };
  readonly #typists = new Map<string, NodeJS.Timeout>();

  constructor(url: string, login: { email: string; password: string }, partner: string | undefined, view: View) {
    this.#url = url;
    this.#login = login;
    this.#partner = partner;
    this.#view = view;
  }

  /** Logs in and connects; from then on it keeps itself connected. */
  async open(): Promise<void> {
    await this.#logIn();
    this.#connect();
  }

  /** Sends what still waits, and leaves. */
  async close(): Promise<void> {
    while (this.#outbox.length > 0) await pause(50);
    this.#stopTyping();
    this.#socket.disconnect();
  }

  // --- Who one is ---

  /** Logs in; who is not known yet is registered. */
  async #logIn(): Promise<void> {
    const { email, password } = this.#login;
    let session: Session;
    try {
      session = await this.#request("POST", "/v1/auth/login", { email, password });
    } catch (error) {
      if (!(error instanceof Refused && error.code === "UNAUTHORIZED")) throw error;
      session = await this.#request("POST", "/v1/auth/register", { email, password, name: email });
    }
    this.userId = session.user.id;
    this.#token = session.accessToken;
  }

  /** A request with the token. One that is no longer valid is replaced, once. */
  async #rest<T>(method: string, path: string, body?: object): Promise<T> {
    try {
      return await this.#request(method, path, body);
    } catch (error) {
      if (!(error instanceof Refused && error.code === "UNAUTHORIZED")) throw error;
      await this.#logIn();
      return this.#request(method, path, body);
    }
  }

  async #request<T>(method: string, path: string, body?: object): Promise<T> {
    const headers = { authorization: `Bearer ${this.#token}`, "content-type": "application/json" };
    const init: RequestInit = { method, headers, signal: AbortSignal.timeout(10_000) };
    if (body) init.body = JSON.stringify(body);
    const response = await fetch(this.#url + path, init);
    const answer = await response.json();
    if (!response.ok) throw new Refused(answer.code, answer.error);
    return answer;
  }

  // --- Being connected ---

  /** Connects, and sees to it that it stays so. */
  #connect(): void {
    this.#socket = io(this.#url, {
      auth: (give) => give({ token: this.#token }), // asked for at every attempt, so it is always the latest
      transports: ["websocket"],
      ackTimeout: 5_000,
    });
    this.#socket.on("connect", () => void this.#enter());
    this.#socket.on("connect_error", () => void this.#refused());
    this.#socket.on("disconnect", (reason) => {
      // Messages of several senders may overtake each other on the way, so there is some overlap.
      if (this.#live) this.#cursor = [...this.#known.keys()].sort().at(-OVERLAP);
      this.#live = false;
      this.#held = [];
      this.#view.lost();
      // The library does not try again by itself where it was the server that has left.
      if (reason === "io server disconnect") setTimeout(() => this.#socket.connect(), 1_000);
    });
    this.#listen();
  }

  /** The library tries again by itself where the network is at fault, but not where the server has refused the token. */
  async #refused(): Promise<void> {
    if (this.#socket.active) return;
    await this.#logIn().catch(() => undefined);
    await pause(1_000);
    this.#socket.connect();
  }

  /** A new connection is in no room, and gets nothing of what came before it: join, then list, then be live. */
  async #enter(): Promise<void> {
    const connection = this.#socket.id;
    try {
      this.#chatId = await this.#findChat();
      if (!this.#chatId) return; // chat:update tells when there is one
      const joined = await this.#socket.emitWithAck("room:join", { chatId: this.#chatId });
      if (!joined.ok) throw new Refused(joined.error, joined.message);
      await this.#catchUp();
    } catch {
      await pause(1_000);
      if (this.#socket.connected && connection === this.#socket.id) void this.#enter();
      return;
    }
    if (connection !== this.#socket.id || this.#live) return; // another call does the rest
    this.#opened = this.#live = true;
    for (const message of this.#held.splice(0)) this.#keep(message);
    this.#view.ready();
    void this.#read();
    void this.#flush();
  }

  /** The chat with the partner, or else the latest one, or none yet. */
  async #findChat(): Promise<string> {
    if (this.#chatId) return this.#chatId;
    if (this.#partner) {
      const dm = { type: "dm", memberIds: [this.#partner] };
      return (await this.#rest<ChatInfo>("POST", "/v1/chats", dm))._id;
    }
    const { chats } = await this.#rest<{ chats: ChatInfo[] }>("GET", "/v1/chats?limit=1");
    return this.#chatId || (chats[0]?._id ?? "");
  }

  /** Lists what is missing: at first the newest page; later all that is newer than the cursor, if there is one. */
  async #catchUp(): Promise<void> {
    const missing: Message[] = [];
    const direction = this.#cursor ? "after" : "before"; // oldest first, or newest first
    let last = this.#cursor;
    do {
      const query = `limit=200${last ? `&${direction}=${last}` : ""}`;
      const path = `/v1/chats/${this.#chatId}/messages?${query}`;
      const { messages } = await this.#rest<{ messages: Message[] }>("GET", path);
      missing.push(...messages);
      last = messages.at(-1)?._id;
    } while (last && this.#opened);
    if (direction === "before") missing.reverse();
    for (const message of missing) this.#keep(message);
  }

  // --- What comes in ---

  #listen(): void {
    this.#socket.on("message:new", ({ message }) => {
      if (message.chatId !== this.#chatId) return;
      if (!this.#live) return void this.#held.push(message);
      this.#keep(message);
      void this.#read();
    });
    this.#socket.on("receipt:update", ({ chatId, messageId, userId }) => {
      if (chatId === this.#chatId && userId !== this.userId) this.#view.read(userId, this.#known.get(messageId));
    });
    this.#socket.on("typing:update", ({ chatId, userId, state }) => {
      if (chatId === this.#chatId) this.#types(userId, state === "start");
    });
    this.#socket.on("presence:update", ({ userId, status }) => this.#view.presence(userId, status === "online"));
    this.#socket.on("chat:update", ({ chat }) => {
      if (this.#chatId || !chat.memberIds.includes(this.userId)) return;
      this.#chatId = chat._id;
      void this.#enter();
    });
  }

  /** Shows a message, once. */
  #keep(message: Message): void {
    if (this.#known.has(message._id)) return;
    this.#known.set(message._id, message);
    this.#view.message(message, message.senderId === this.userId);
  }

  /** Who has begun to type and is not heard of again has stopped. */
  #types(userId: string, types: boolean): void {
    if (types !== this.#typists.has(userId)) this.#view.typing(userId, types);
    clearTimeout(this.#typists.get(userId));
    this.#typists.delete(userId);
    if (types) this.#typists.set(userId, setTimeout(() => this.#types(userId, false), 10_000));
  }

  // --- What goes out ---

  /** Sends a message as soon as that is possible. */
  say(body: string): void {
    this.#outbox.push({ clientId: crypto.randomUUID(), body });
    this.#stopTyping();
    void this.#flush();
  }

  /** Sends one message after the other, each until it is acknowledged, and always under the same clientId. */
  async #flush(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (let tries = 0; this.#live && this.#outbox[0]; tries++) {
      const message = this.#outbox[0];
      // Without an ack nobody knows whether it was stored. Sent again under its clientId it stays one message.
      const ack = await this.#socket
        .emitWithAck("message:send", { chatId: this.#chatId, ...message })
        .catch(() => undefined);
      if (ack && (ack.ok || !["RATE_LIMITED", "INTERNAL"].includes(ack.error))) {
        this.#outbox.shift();
        if (!ack.ok) this.#view.notSent(message.body, ack.message);
        tries = -1;
      } else if (ack) {
        await pause(Math.min(500 * 2 ** tries, 10_000));
      }
    }
    this.#sending = false;
  }

  /** Tells that everything has been read. */
  async #read(): Promise<void> {
    const newest = [...this.#known.keys()].reduce((a, b) => (a > b ? a : b), "");
    if (!newest || newest === this.#readUpTo) return;
    const ack = await this.#socket
      .emitWithAck("receipt:read", { chatId: this.#chatId, messageId: newest })
      .catch(() => undefined); // told again with the next message, or after the next connection
    if (ack?.ok) this.#readUpTo = newest;
  }

  /** To be called at every key: begins, says so again every five seconds, and ends when no key follows for three. */
  typing(): void {
    if (!this.#live) return;
    if (Date.now() - this.#typing.since > 5_000) {
      this.#socket.emit("typing:start", { chatId: this.#chatId });
      this.#typing.since = Date.now();
    }
    clearTimeout(this.#typing.stop);
    this.#typing.stop = setTimeout(() => this.#stopTyping(), 3_000);
  }

  #stopTyping(): void {
    if (this.#typing.since && this.#live) this.#socket.emit("typing:stop", { chatId: this.#chatId });
    clearTimeout(this.#typing.stop);
    this.#typing.since = 0;
  }
}

// --- The terminal ---

const [url, email, password, partner] = process.argv.slice(2);
if (!url || !email || !password) {
  console.error("usage: node chat.js URL EMAIL PASSWORD [USER_ID]");
  process.exit(2);
}

const chat = new Chat(url, { email, password }, partner, {
  ready: () => console.log("* connected"),
  lost: () => console.log("* disconnected"),
  message: ({ senderId, body }, mine) => console.log(`${mine ? "you" : senderId}: ${body}`),
  notSent: (body, why) => console.log(`* not sent: ${body} (${why})`),
  read: (userId, message) => console.log(`* ${userId} has read: ${message?.body ?? "an older message"}`),
  typing: (userId, types) => console.log(`* ${userId} ${types ? "is typing" : "has stopped typing"}`),
  presence: (userId, online) => console.log(`* ${userId} is ${online ? "online" : "offline"}`),
});
await chat.open();
console.log(`* you are ${chat.userId}`);

emitKeypressEvents(process.stdin);
process.stdin.on("keypress", () => chat.typing());
for await (const line of createInterface({ input: process.stdin, terminal: process.stdin.isTTY })) chat.say(line);
await chat.close();
