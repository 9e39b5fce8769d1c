// Two users in two panes. Each has a connection of its own, through the official client, and its pane shows what goes over
// the wire: whole frames, each answer below its request.
(() => {
  "use strict";
  const KEPT = 300; // exchanges a pane
  const IDLE = 2_000; // ms without a key, and nobody types any more
  const PATIENCE = 5_000; // ms for an acknowledgement
  // Whoever knows the `sid` of a session that polls can speak in its place.
  const SECRETS = ["token", "accessToken", "sessionToken", "password", "sid"];
  const DIGITS = { open: 0, close: 1, ping: 2, pong: 3, message: 4, upgrade: 5, noop: 6 };

  const byId = (id) => document.getElementById(id);
  const begun = new Date(Date.now() - performance.now());

  // A value as text, without what is nobody else's business.
  const told = (value) => JSON.stringify(value, (key, inner) => (SECRETS.includes(key) ? "…" : inner));

  // A packet as it is on the wire; those that connect carry a token, and a session's id.
  function frame({ type, data }) {
    const text = `${DIGITS[type]}${data ?? ""}`;
    return text.startsWith("40{") && type === "message" ? `40${told(JSON.parse(text.slice(2)))}` : text;
  }

  // An id for what is new. `randomUUID` is only there where the page comes from this machine or over TLS.
  const fresh = () => [...crypto.getRandomValues(new Uint8Array(8))].map((n) => n.toString(16).padStart(2, "0")).join("");

  function element(name, properties, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  // A box that grows stays at its end, where it was there.
  function growing(box, grow) {
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 8;
    grow();
    if (atEnd) box.scrollTop = box.scrollHeight;
  }

  function insert(box, item, before = null) {
    growing(box, () => {
      const list = box.querySelector("ol");
      list.insertBefore(item, before);
      while (list.children.length > KEPT) list.firstElementChild.remove();
    });
  }

  // The text of a frame, with the name of its event in bold.
  function marked(text) {
    const [, before, name, after] = /^(42\d*\[")([^"]+)(.*)$/s.exec(text) ?? [];
    return name ? element("code", {}, before, element("b", {}, name), after) : element("code", {}, text);
  }

  async function copy(button, text) {
    const box = byId("text");
    box.value = text;
    box.hidden = false;
    try {
      await navigator.clipboard.writeText(text);
      byId("how").textContent = "This is in the clipboard:";
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = button.dataset.text), 1_500);
    } catch {
      byId("how").textContent = "The browser does not let this page at the clipboard; copy it from here:";
      box.focus();
      box.select();
    }
  }

  function copying(name, className, text) {
    const button = element("button", { type: "button", className }, name);
    button.dataset.text = name;
    button.addEventListener("click", () => copy(button, text()));
    return button;
  }

  // A request with its answer, or what has come by itself.
  class Exchange {
    #lines = [];
    #frames = element("div");

    constructor(pane) {
      this.item = element("li", {}, this.#frames, copying("Copy", "copy", () => `${pane.heading()}\n${this}`));
    }

    add(way, text, failed = false) {
      const at = performance.now().toFixed(1);
      const word = { "→": "sends", "←": "receives", "∙": "notes" }[way];
      this.#lines.push(`${at.padStart(10)} ${way} ${text}`);
      this.#frames.append(
        element(
          "p",
          { className: failed ? "failed" : "" },
          element("span", { className: "at" }, at),
          element("span", { className: "unseen" }, ` ${word} `),
          element("span", { className: "way", ariaHidden: "true" }, way),
          marked(text),
        ),
      );
      return this;
    }

    toString() {
      return this.#lines.join("\n");
    }
  }

  class Pane {
    #exchanges = [];
    #waiting = new Map();
    #messages = new Map(); // their items, by id
    #cursors = new Map(); // the message that each user has read up to
    #typing;

    constructor(id) {
      this.root = byId(id);
      this.controls = this.find("fieldset");
      const on = (selector, event, act) =>
        this.find(selector).addEventListener(event, (happened) => {
          happened.preventDefault();
          this.say("");
          Promise.resolve(act()).catch((error) => this.say(error.message));
        });
      on("form.send", "submit", () => this.send());
      on("input.body", "input", () => this.type());
      on("button.read", "click", () => this.read());
      on("button.ping", "click", () => this.ask("presence:ping", {}));
      on("button.connection", "click", () => this.toggle());
      on("select.event", "change", () => this.propose());
      on("form.any", "submit", () => this.sendAny());
      on("button.clear", "click", () => this.clear());
      const all = () => `${this.heading()}\n${this.#exchanges.join("\n")}`;
      this.find("button.copy-all").replaceWith(copying("Copy all", "copy-all", all));
    }

    find(selector) {
      return this.root.querySelector(selector);
    }

    say(text) {
      this.find(".trouble").textContent = text;
    }

    heading() {
      return `${this.name} at ${location.origin}, times in ms since ${begun.toISOString()}`;
    }

    // What goes over the wire.

    exchange(way, text, failed) {
      const exchange = new Exchange(this).add(way, text, failed);
      this.#exchanges.push(exchange);
      if (this.#exchanges.length > KEPT) this.#exchanges.shift();
      insert(this.find(".frames"), exchange.item);
      return exchange;
    }

    answer(exchange, text, failed) {
      growing(this.find(".frames"), () => exchange.add("←", text, failed));
    }

    clear() {
      this.#exchanges = [];
      this.find(".frames ol").replaceChildren();
    }

    sent(packet) {
      const text = frame(packet);
      const id = /^42(\d+)\[/.exec(text)?.[1];
      const exchange = this.exchange("→", text);
      if (id) this.#waiting.set(id, exchange);
    }

    received(packet) {
      const text = frame(packet);
      const [, id, answer] = /^43(\d+)(.*)$/s.exec(text) ?? [];
      const failed = text.startsWith("44") || (id !== undefined && JSON.parse(answer)[0]?.ok === false);
      const request = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (request) this.answer(request, text, failed);
      else this.exchange("←", text, failed);
    }

    async http(method, path, body) {
      const exchange = this.exchange("→", `${method} ${path}${body ? ` ${told(body)}` : ""}`);
      const headers = { "content-type": "application/json" };
      if (this.token) headers.authorization = `Bearer ${this.token}`;
      const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
      const answer = await response.json();
      this.answer(exchange, `HTTP ${response.status} ${told(answer)}`, !response.ok);
      if (!response.ok) throw new Error(`${method} ${path} was refused: ${answer.code}, ${answer.error}`);
      return answer;
    }

    // A new user, in place of whoever was here.

    async register(name) {
      this.leave();
      this.name = name;
      this.find(".name").textContent = name;
      const email = `${fresh()}@playground.example`;
      const session = await this.http("POST", "/v1/auth/register", { email, password: fresh(), name });
      this.user = session.user.id;
      this.token = session.accessToken;
    }

    leave() {
      this.socket?.disconnect();
      this.token = undefined;
      this.#messages.clear();
      this.#cursors.clear();
      this.#waiting.clear();
      this.clear();
      this.say("");
      this.find(".messages ol").replaceChildren();
      this.find(".typing").textContent = "";
    }

    // The connection. Resolves when the chat's room is joined for the first time.

    enter(chat, other, transport) {
      this.chat = chat;
      this.other = other;
      this.find(".presence").textContent = `${other.name}: nothing heard yet`;
      this.propose();
      const manager = new io.Manager(location.origin, {
        autoConnect: false,
        ...(transport && { transports: [transport] }),
      });
      manager.on("open", () => this.watch(manager.engine));
      const socket = (this.socket = manager.socket("/", { auth: { token: this.token } }));
      socket.on("message:new", ({ message }) => this.show(message));
      socket.on("typing:update", ({ userId, state }) => userId === other.user && this.othersTyping(state === "start"));
      socket.on("receipt:update", ({ messageId, userId }) => this.showReceipt(messageId, userId));
      socket.on("presence:update", ({ userId, status }) => {
        if (userId === other.user) this.find(".presence").textContent = `${other.name} is ${status}`;
      });
      socket.on("disconnect", (reason) => this.connected(false, reason));
      return new Promise((resolve, reject) => {
        socket.on("connect", () => this.join().then(resolve, reject));
        socket.on("connect_error", (error) => {
          this.connected(false, error.message);
          reject(error);
        });
        socket.connect();
      });
    }

    watch(engine) {
      engine.on("packetCreate", (packet) => this.sent(packet));
      engine.on("packet", (packet) => this.received(packet));
      engine.on("upgrade", (transport) => this.exchange("∙", `goes on over ${transport.name}`));
      this.exchange("∙", `opened over ${engine.transport.name}`);
    }

    connected(is, why) {
      this.root.dataset.connected = is;
      this.find(".state").textContent = is ? "connected" : `not connected (${why})`;
      const button = this.find("button.connection");
      button.disabled = false;
      button.textContent = this.socket.active ? "Disconnect" : "Connect";
      this.controls.disabled = !is;
      if (is) return;
      this.#waiting.clear();
      clearTimeout(this.#typing);
      this.#typing = undefined;
      this.othersTyping(false);
    }

    toggle() {
      if (!this.socket.active) return this.socket.connect();
      this.socket.disconnect();
      this.connected(false, "as asked for");
    }

    // Joins the room first, and then gets what was said meanwhile: so nothing falls between the two.
    async join() {
      let after = this.last();
      this.connected(true);
      await this.ask("room:join", { chatId: this.chat });
      while (after) {
        const { messages, nextCursor } = await this.http("GET", `/v1/chats/${this.chat}/messages?after=${after}`);
        for (const message of messages) this.show(message);
        after = nextCursor && messages.at(-1)?._id;
      }
    }

    // What a user does.

    async ask(event, payload) {
      const answer = await this.socket.timeout(PATIENCE).emitWithAck(event, payload);
      if (answer?.ok === false) this.say(`${event} was refused: ${answer.error}, ${answer.message}`);
      return answer;
    }

    async send() {
      const input = this.find("input.body");
      const body = input.value;
      input.value = "";
      this.pause();
      await this.ask("message:send", { chatId: this.chat, clientId: fresh(), body });
    }

    type() {
      if (this.#typing === undefined) this.socket.emit("typing:start", { chatId: this.chat });
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.pause(), IDLE);
    }

    pause() {
      if (this.#typing === undefined) return;
      clearTimeout(this.#typing);
      this.#typing = undefined;
      this.socket.emit("typing:stop", { chatId: this.chat });
    }

    async read() {
      const messageId = this.last();
      if (!messageId) throw new Error("there is no message yet that could be read");
      await this.ask("receipt:read", { chatId: this.chat, messageId });
    }

    // Ids grow as messages come.
    last() {
      return [...this.#messages.keys()].sort().at(-1);
    }

    // The payload of the chosen event, with the ids of this chat.
    propose() {
      const chosen = this.find("select.event").selectedOptions[0];
      const ids = { chatId: this.chat, messageId: this.last(), clientId: fresh() };
      const own = (key, value) => ids[key] ?? value;
      this.find("textarea.payload").value = JSON.stringify(JSON.parse(chosen.dataset.payload, own), null, 2);
      this.find("input.ack").checked = "acknowledged" in chosen.dataset;
    }

    payload() {
      try {
        return JSON.parse(this.find("textarea.payload").value);
      } catch (error) {
        throw new Error(`The payload is no JSON: ${error.message}`);
      }
    }

    async sendAny() {
      const event = this.find("select.event").value;
      const payload = this.payload();
      for (let n = Number(this.find("input.times").value); n > 0; n--) {
        if (!this.find("input.ack").checked) this.socket.emit(event, payload);
        else this.ask(event, payload).catch((error) => this.say(`${event}: ${error.message}`));
        // A repeat under the same id would be no message of its own.
        if (payload?.clientId) payload.clientId = fresh();
      }
    }

    // What a user sees.

    called(user) {
      return user === this.user ? this.name : this.other.name;
    }

    show({ _id: id, senderId, body }) {
      if (this.#messages.has(id)) return;
      const own = senderId === this.user;
      const item = element(
        "li",
        { className: own ? "own" : "" },
        element("b", {}, this.called(senderId)),
        element("span", {}, body),
        element("small"),
      );
      const later = [...this.#messages.keys()].sort().find((other) => other > id);
      insert(this.find(".messages"), item, this.#messages.get(later));
      this.#messages.set(id, item);
      if (!own) this.othersTyping(false);
    }

    showReceipt(messageId, userId) {
      this.#cursors.set(userId, messageId);
      for (const [id, item] of this.#messages) {
        const readers = [...this.#cursors].filter(([, cursor]) => cursor === id).map(([user]) => this.called(user));
        item.querySelector("small").textContent = readers.length ? `read by ${readers.join(" and ")}` : "";
      }
    }

    othersTyping(does) {
      this.find(".typing").textContent = does ? `${this.other.name} is typing…` : "";
    }
  }

  const [first, second] = [new Pane("first"), new Pane("second")];

  byId("status").textContent = "Nobody is registered yet.";
  byId("begin").addEventListener("submit", async (submitted) => {
    submitted.preventDefault();
    const button = submitted.target.querySelector("button");
    const say = (text) => (byId("status").textContent = text);
    button.disabled = true;
    try {
      say("Registering …");
      await first.register(byId("first-user").value);
      await second.register(byId("second-user").value);
      const { _id: chat } = await first.http("POST", "/v1/chats", { type: "dm", memberIds: [second.user] });
      const transport = byId("transport").value;
      await first.enter(chat, second, transport);
      await second.enter(chat, first, transport);
      say(`${first.name} and ${second.name} are in the chat ${chat}.`);
    } catch (error) {
      say(`That did not work: ${error.message}`);
    } finally {
      button.disabled = false;
    }
  });
})();
