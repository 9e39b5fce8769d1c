// Somebody who uses one of the guide's client programs: in a terminal, or in a browser. Both are driven, and read, alike.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";

const WITHIN = 30_000; // ms for anything that is waited for; a slow machine is no failure

export const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

/** Waits until `probe` returns something. */
export async function until(what, probe, within = WITHIN) {
  const end = Date.now() + within;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > end) assert.fail(`not within ${within} ms: ${await what()}`);
    await pause(20);
  }
}

/** What both have: `lines()` is everything that the program has shown. */
class Person {
  constructor(name) {
    this.name = name;
  }

  /** The first line that matches, from the given one on. */
  sees(pattern, from = 0) {
    const matches = (line) => (typeof pattern === "string" ? line === pattern : pattern.test(line));
    const told = async () => `${this.name} sees ${pattern}; there is\n${(await this.lines()).slice(-30).join("\n")}`;
    return until(told, async () => (await this.lines()).slice(from).find(matches));
  }

  /** How many lines there are by now. */
  async mark() {
    return (await this.lines()).length;
  }

  /** The messages among the lines, in the order in which they were shown. */
  async messages() {
    return (await this.lines()).filter((line) => !line.startsWith("* "));
  }

  async id() {
    return (await this.sees(/^\* you are [0-9a-f]{24}$/)).slice(-24);
  }
}

/** In a terminal: lines of standard output, and keys on standard input. */
export class Terminal extends Person {
  #process;
  #output = "";
  #errors = "";

  constructor(name, command, options) {
    super(name);
    this.#process = spawn("sh", ["-c", `exec ${command}`], options);
    this.#process.stdout.setEncoding("utf8").on("data", (text) => (this.#output += text));
    this.#process.stderr.setEncoding("utf8").on("data", (text) => (this.#errors += text));
  }

  async lines() {
    const { exitCode, signalCode } = this.#process;
    const ended = (exitCode ?? signalCode) !== null && !this.left;
    assert.ok(!ended, `${this.name} has ended: ${exitCode ?? signalCode}\n${this.#output}\n${this.#errors}`);
    return this.#output.split("\n").slice(0, -1);
  }

  type(text) {
    this.#process.stdin.write(text);
  }

  say(text) {
    this.type(`${text}\n`);
  }

  /** Ends the input, upon which the program sends what waits, and ends without a complaint. */
  async leave() {
    this.left = true;
    this.#process.stdin.end();
    if (this.#process.exitCode === null) await once(this.#process, "exit", { signal: AbortSignal.timeout(WITHIN) });
    assert.deepEqual([this.#process.exitCode, this.#errors], [0, ""], this.name);
  }

  kill() {
    this.#process.kill("SIGKILL");
  }
}

/** In a browser: items of the page's log, and its form. */
export class Page extends Person {
  #page;
  #trouble = [];

  static async open(name, browser, url, { email, password, partner }) {
    const person = new Page(name);
    const page = (person.#page = await browser.newPage());
    page.on("pageerror", (error) => person.#trouble.push(`${error}`));
    await page.goto(url);
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(password);
    await page.getByLabel("Id of the other user").fill(partner ?? "");
    await page.getByRole("button", { name: "Chat" }).click();
    return person;
  }

  async lines() {
    return this.#page.locator("#log li").allTextContents();
  }

  async type(text) {
    await this.#page.getByLabel("Message").pressSequentially(text.replace("\n", ""));
    if (text.endsWith("\n")) await this.#page.keyboard.press("Enter");
  }

  async say(text) {
    await this.#page.getByLabel("Message").fill(text);
    await this.#page.keyboard.press("Enter");
  }

  async leave() {
    const unsent = () => this.#page.locator("#pending li").count();
    await until(() => `${this.name} has sent everything`, async () => (await unsent()) === 0);
    await this.kill();
    assert.deepEqual(this.#trouble, [], this.name);
  }

  async kill() {
    await this.#page.close();
  }
}
