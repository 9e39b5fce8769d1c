// The shell of somebody who carries out a document.
import { spawn } from "node:child_process";
import { once } from "node:events";

import { freePort } from "../guide/server.mjs";

// One of them compiles tests.
const LIMIT_MS = 600_000;

export class Shell {
  #folder;
  #env;

  constructor(folder, bin) {
    this.#folder = folder;
    this.#env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    delete this.#env.FORCE_COLOR;
  }

  /**
   * Runs a command to its end: what it ended with, and what it told. Where `server` is the command that starts one at
   * `$PORT`, beside that server, whose address is `$URL`.
   */
  async run(command, { at = this.#folder, server } = {}) {
    if (!server) return this.#end(this.#start(command, at));
    const port = await freePort();
    const started = this.#start(server, at, { PORT: port });
    try {
      await listening(started);
      return await this.#end(this.#start(command, at, { URL: `http://127.0.0.1:${port}` }));
    } finally {
      started.process.kill();
    }
  }

  /** Starts a server at `$PORT`, sees that it is healthy, and asks it to end. */
  async serve(command) {
    const port = await freePort();
    const started = this.#start(`exec ${command}`, this.#folder, { PORT: port });
    await listening(started);
    const health = await fetch(`http://127.0.0.1:${port}/healthz`);
    started.process.kill();
    const ended = await this.#end(started);
    return health.ok ? ended : { code: health.status, told: await health.text() };
  }

  #start(command, cwd, env = {}) {
    const options = { cwd, env: { ...this.#env, ...env }, stdio: ["ignore", "pipe", "pipe"] };
    const started = { told: "", process: spawn("sh", ["-c", command], options) };
    for (const stream of [started.process.stdout, started.process.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (started.told += text));
    }
    started.closed = once(started.process, "close");
    return started;
  }

  async #end(started) {
    const tooLong = setTimeout(() => started.process.kill("SIGKILL"), LIMIT_MS);
    const [code] = await started.closed;
    clearTimeout(tooLong);
    return { code, told: started.told };
  }
}

async function listening(started) {
  let ended = false;
  started.closed.then(() => (ended = true));
  while (!started.told.includes("listening")) {
    if (ended) throw new Error(`it ended: ${started.told}`);
    await new Promise((next) => setTimeout(next, 20));
  }
}
