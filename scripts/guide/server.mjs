// The reference server, as the guide's tests start it, kill it, and ask it through REST.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { until } from "./people.mjs";

/** A port that nobody uses. */
export async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

/** A server that keeps what it has on the disk, so that it can be killed and started again. */
export class Server {
  #program;
  #data;
  #options;
  #process;

  static async start(program, options) {
    const server = new Server();
    server.#program = program;
    server.#options = options;
    server.#data = await mkdtemp(join(tmpdir(), "chatspec-guide-"));
    server.port = await freePort();
    server.url = `http://127.0.0.1:${server.port}`;
    await server.again(server.port);
    return server;
  }

  /** Starts it with the data that it has, on this port; its key for access tokens is another one each time. */
  async again(port) {
    const args = ["--listen", `127.0.0.1:${port}`, "--data", this.#data, "--log", "error", ...this.#options];
    this.#process = spawn(this.#program, args, { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    this.#process.stdout.setEncoding("utf8").on("data", (text) => (said += text));
    await until(() => `the server says that it listens: ${said}`, () => said.includes("listening"));
  }

  /** Without any chance to say goodbye. */
  async kill() {
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }

  /** Does nothing until it is to go on, with all connections open. */
  freeze() {
    this.#process.kill("SIGSTOP");
  }

  goOn() {
    this.#process.kill("SIGCONT");
  }

  async remove() {
    await this.kill();
    await rm(this.#data, { recursive: true });
  }

  /** How often clients have sent this event with this outcome since the start. */
  async count(event, outcome) {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const line = text.split("\n").find((line) => line.startsWith(`chat_events_total{event="${event}",outcome="${outcome}"}`));
    return Number(line?.split(" ").at(-1) ?? 0);
  }
}

/** Requests to a server, as one of its users. */
export class Rest {
  static async logIn(url, email, password) {
    const rest = new Rest();
    rest.url = url;
    rest.token = (await rest.ask("POST", "/v1/auth/login", { email, password })).accessToken;
    return rest;
  }

  async ask(method, path, body) {
    const headers = { "content-type": "application/json", authorization: `Bearer ${this.token}` };
    const response = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) });
    assert.ok(response.ok, `${method} ${path}: ${response.status}`);
    return response.json();
  }

  post(chatId, body) {
    return this.ask("POST", `/v1/chats/${chatId}/messages`, { body });
  }

  async latestChat() {
    return (await this.ask("GET", "/v1/chats?limit=1")).chats[0]._id;
  }

  /** All messages of a chat, oldest first. */
  async messages(chatId) {
    const all = [];
    for (let before = ""; ; before = `&before=${all.at(-1)._id}`) {
      const { messages } = await this.ask("GET", `/v1/chats/${chatId}/messages?limit=200${before}`);
      all.push(...messages);
      if (messages.length === 0) return all.reverse();
    }
  }
}
