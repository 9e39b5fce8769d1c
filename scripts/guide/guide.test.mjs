// docs/realtime.md, carried out: its commands as they stand, and its client programs against a server that is frozen, killed
// and started again. scripts/guide.sh runs it.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";

import { launch } from "../browser/chromium.mjs";
import { Page, Terminal, pause, until } from "./people.mjs";
import { Rest, Server, freePort } from "./server.mjs";

const { GUIDE_COPY: copy, GUIDE_BIN: bin } = process.env;
const clients = join(copy, "docs/clients");
const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, CHATSPEC_LOG: "warn" };
const password = "correct horse";

// More than one page of a listing.
const MISSED = 205;

// A command of the guide is a line of a block that is indented by four and has no fence. What runs the kit is run by
// `cargo test`.
const guide = await readFile(join(copy, "docs/realtime.md"), "utf8");
const commands = guide
  .replace(/^```[^]*?^```$/gm, "")
  .split("\n")
  .filter((line) => line.startsWith("    "))
  .map((line) => line.trim())
  .filter((line) => !line.startsWith("chatspec "));

/** The commands that begin like that, of which there is at least one. */
function take(beginning) {
  const taken = commands.filter((command) => command.startsWith(beginning));
  assert.ok(taken.length > 0, `the guide has no command ${beginning}`);
  for (const command of taken) commands.splice(commands.indexOf(command), 1);
  return taken;
}

const [enter, ...installing] = ["cd ", "npm ", "npx ", "python3 -m venv ", ".venv/bin/pip "].flatMap(take);
const [serve] = take("chatspec-server ");
const talk = { ts: take("node "), py: take(".venv/bin/python ") };
const [publish] = take("python3 -m http.server ");

const GUIDE = { server: "127.0.0.1:4000", page: "127.0.0.1:8000" };
let browser, pages;

before(async () => {
  assert.equal(enter, "cd docs/clients");
  assert.deepEqual(commands, [], "commands of the guide that nothing runs");
  for (const command of installing) await promisify(execFile)("sh", ["-c", command], { cwd: clients });
  browser = await launch();
  const port = await freePort();
  const published = spawn("sh", ["-c", `exec ${publish.replace("8000", port)}`], { cwd: clients, stdio: "ignore" });
  pages = { url: `http://127.0.0.1:${port}`, process: published };
  await until(() => `pages are served by ${publish}`, () => fetch(pages.url).then(() => true, () => false));
});

after(async () => {
  await browser?.close();
  pages?.process.kill();
});

// Somebody with one of the programs. The guide's own command is taken, with the address and the user put in.
const programs = {
  ts: (name, url, user) => terminal(name, talk.ts[0], url, user),
  py: (name, url, user) => terminal(name, talk.py[0], url, user),
  html: (name, url, user) => Page.open(name, browser, `${pages.url}/chat.html?server=${url}`, user),
};

function terminal(name, command, url, { email, password, partner }) {
  const program = command.split(" http://")[0];
  return new Terminal(name, `${program} ${url} ${email} '${password}' ${partner ?? ""}`, { cwd: clients, env });
}

/** Sees that somebody was shown every message of the chat once, and those of each sender in the order of the store. */
async function sameAsStored(person, userId, messages) {
  const stored = messages.map(({ senderId, body }) => `${senderId === userId ? "you" : senderId}: ${body}`);
  const shown = () => person.messages();
  await until(() => `${person.name} has ${stored.length} messages`, async () => (await shown()).length >= stored.length);
  const bySender = (lines) => [true, false].map((own) => lines.filter((line) => line.startsWith("you: ") === own));
  assert.deepEqual(bySender(await shown()), bySender(stored), person.name);
}

/** Does something again and again until a promise is kept; how often, counting from one, it has been done. */
async function during(promise, work) {
  let pending = true;
  const end = promise.finally(() => (pending = false));
  end.catch(() => undefined); // it is awaited below
  let n = 0;
  for (; pending; await pause(10)) await work(++n);
  await end;
  return n;
}

const pairs = [["ts", "py"], ["py", "html"], ["html", "ts"]];
describe("two users chat, through a freeze and two crashes", { concurrency: pairs.length }, () => {
  for (const [first, second] of pairs) test(`${first} and ${second}`, (t) => chat(t, first, second));
});

async function chat(t, first, second) {
  const limits = ["--rate-max", "5", "--rate-window-ms", "1500", "--cors-origin", pages.url];
  const server = await Server.start(join(bin, "chatspec-server"), limits);
  const people = [];
  t.after(async () => {
    for (const person of people) await person.kill();
    await server.remove();
  });
  const open = async (program, name, partner) => {
    const email = `${name}@example.org`;
    const person = await programs[program](`${name} (${program})`, server.url, { email, password, partner });
    people.push(person);
    return person;
  };

  // Alice waits; Bob begins the chat, which she is told.
  const alice = await open(first, "alice");
  const aliceId = await alice.id();
  let bob = await open(second, "bob", aliceId);
  const bobId = await bob.id();
  await Promise.all([alice.sees("* connected"), bob.sees("* connected")]);

  // Messages, receipts, typing.
  await bob.say("hello");
  await alice.sees(`${bobId}: hello`);
  await bob.sees("you: hello");
  await bob.sees(`* ${aliceId} has read: hello`);
  await alice.type("how are");
  await bob.sees(`* ${aliceId} is typing`);
  await alice.type(" you?\n");
  await bob.sees(`${aliceId}: how are you?`);
  await bob.sees(`* ${aliceId} has stopped typing`);
  await alice.sees(`* ${bobId} has read: how are you?`);

  // Presence. Who comes back finds the chat, with everything in it.
  let mark = await alice.mark();
  await bob.leave();
  await alice.sees(`* ${bobId} is offline`, mark);
  mark = await alice.mark();
  bob = await open(second, "bob");
  await alice.sees(`* ${bobId} is online`, mark);
  await bob.sees("* connected");
  assert.deepEqual(await bob.messages(), ["you: hello", `${aliceId}: how are you?`]);

  // More than the rate limit lets through at once.
  for (let n = 1; n <= 8; n++) await alice.say(`burst ${n}`);
  await bob.sees(`${aliceId}: burst 8`);
  assert.ok((await server.count("message:send", "RATE_LIMITED")) > 0, "the limit was met");

  // An ack that does not come: the message is sent again, and stays one.
  const before = await server.count("message:send", "ok");
  server.freeze();
  await alice.say("frozen");
  await pause(5_500); // longer than the programs wait for an ack
  server.goOn();
  await bob.sees(`${aliceId}: frozen`);
  await until(() => "frozen was sent twice", async () => (await server.count("message:send", "ok")) >= before + 2);

  // The server is killed in the middle of a burst, and both go on writing. Twice: at first they know so few messages that
  // they list everything anew, later they go by the cursor.
  const seams = [];
  for (const round of ["crash", "again"]) {
    mark = [await alice.mark(), await bob.mark()];
    for (let n = 1; n <= 5; n++) await alice.say(`${round} ${n}`);
    await bob.sees(`${aliceId}: ${round} 1`);
    await server.kill();
    await Promise.all([alice.sees("* disconnected", mark[0]), bob.sees("* disconnected", mark[1])]);
    await alice.say(`${round} 6`);
    await bob.say(`${round}, Bob`);

    // Where their clients cannot see it, more is written than one page holds.
    const elsewhere = await freePort();
    await server.again(elsewhere);
    const hidden = await Rest.logIn(`http://127.0.0.1:${elsewhere}`, "alice@example.org", password);
    const chatId = await hidden.latestChat();
    for (let n = 1; n <= MISSED; n++) await hidden.post(chatId, `${round}, missed ${n}`);
    await server.kill();

    // Back where it was, with another key: the access tokens of before are refused. While they come back, more is written.
    mark = [await alice.mark(), await bob.mark()];
    await server.again(server.port);
    const open = await Rest.logIn(server.url, "alice@example.org", password);
    const back = Promise.all([alice.sees("* connected", mark[0]), bob.sees("* connected", mark[1])]);
    seams.push(await during(back, (n) => open.post(chatId, `${round}, seam ${n}`)));
    await Promise.all([bob.sees(`${aliceId}: ${round} 6`), alice.sees(`${bobId}: ${round}, Bob`)]);
  }

  // Nothing is missing, nothing is there twice, and what each has sent stands in the order of sending.
  const rest = await Rest.logIn(server.url, "alice@example.org", password);
  const messages = await rest.messages(await rest.latestChat());
  await sameAsStored(alice, aliceId, messages);
  await sameAsStored(bob, bobId, messages);
  const numbered = (word, to) => Array.from({ length: to }, (_, n) => `${word} ${n + 1}`);
  const sent = (pattern) => messages.map(({ body }) => body).filter((body) => pattern.test(body));
  const [crash, again] = seams;
  for (const [word, count] of [
    ["burst", 8],
    ["crash", 6],
    ["crash, missed", MISSED],
    ["crash, seam", crash],
    ["again", 6],
    ["again, missed", MISSED],
    ["again, seam", again],
  ]) {
    assert.deepEqual(sent(new RegExp(`^${word} \\d+$`)), numbered(word, count));
  }
  assert.deepEqual(sent(/^[^\d]+$/), ["hello", "how are you?", "frozen", "crash, Bob", "again, Bob"]);
  assert.equal(messages.length, 8 + 2 * (6 + MISSED) + crash + again + 5);

  for (const person of [alice, bob]) await person.leave();
}

test("the commands do what the guide says", async (t) => {
  const [server, page] = [`127.0.0.1:${await freePort()}`, new URL(pages.url).host];
  const here = (command) => command.replaceAll(GUIDE.server, server).replaceAll(GUIDE.page, page);
  const process = spawn("sh", ["-c", `exec ${here(serve)}`], { cwd: copy, env, stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => process.kill());
  await once(process.stdout, "data");

  const people = [];
  t.after(() => people.forEach((person) => person.kill()));
  let id = "";
  for (const command of [...talk.ts, ...talk.py]) {
    const person = new Terminal(command, here(command).replace("USER_ID", id), { cwd: clients, env });
    people.push(person);
    id = await person.id();
  }
  const url = /http:\/\/127\.0\.0\.1:8000\/\S*chat\.html/.exec(guide)[0];
  const login = { email: "cleo@example.org", password, partner: id };
  people.push(await Page.open("the page", browser, `${here(url)}?server=http://${server}`, login));

  const [ann, bob, cleo] = people;
  await bob.sees("* connected");
  await bob.say("it works");
  await ann.sees(`${await bob.id()}: it works`);
  await cleo.sees("* connected");
  await cleo.say("here as well");
  await cleo.sees("you: here as well");
  for (const person of people) await person.leave();
});
