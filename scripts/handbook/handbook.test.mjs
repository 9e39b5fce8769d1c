// README.md and docs/testing-your-server.md, carried out: every command of theirs has its place in one of the two lists below,
// with what has to come of it. scripts/handbook.sh runs it.
import assert from "node:assert/strict";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";

import { commandsOf, scriptOf } from "./document.mjs";
import { Shell } from "./shell.mjs";

const { HANDBOOK_WORK: work, HANDBOOK_BIN: bin, HANDBOOK_MONGODB: mongodb } = process.env;
const repository = process.cwd();
const folder = join(work, "server");
const shell = new Shell(folder, bin);
const file = (name) => join(folder, name);
const peer = (name) => join(repository, "fixtures/peers/node", name);

const ci = await readFile(".ci/run", "utf8");

/** A command that is run as it stands, and what it ends with. */
const run = (text, more = {}) => ({ text, as: text, code: 0, ...more });

/** A command that is run in another way, which must have a reason. */
const runAs = (text, as, reason, more = {}) => ({ text, as, reason, code: 0, ...more });

/** A command that a step of CI runs. */
const inCi = (text, step) => ({ text, step });

const SHORT = "the whole would take minutes";
const BUILT = "it is built already, and without optimisation, which would take minutes";
const PORT = "the port might be taken here";

/** The target file that a reader would have in the end; a server that accepts eleven messages breaks RATE-01. */
async function describeServer({ breaksRate = false } = {}) {
  const text = await readFile(peer("target.toml"), "utf8");
  const broken = text.replace("env = {", 'env = { SEND_LIMIT = "11",');
  assert.notEqual(broken, text);
  await writeFile(file("chatspec.toml"), breaksRate ? broken : text);
}

/** The reports of this server as it was before it broke a promise, and of three that are called something else. */
async function otherReports() {
  await describeServer();
  await shell.run("chatspec --quick --target chatspec.toml --report json=main.json");
  await describeServer({ breaksRate: true });
  const report = JSON.parse(await readFile(file("main.json"), "utf8"));
  for (const name of ["node", "python", "go"]) {
    await writeFile(file(`${name}.json`), JSON.stringify({ ...report, target: { ...report.target, name } }));
  }
}

const said = (name, words) => async () => assert.ok((await readFile(file(name), "utf8")).includes(words), `${name}: ${words}`);

const readme = [
  inCi("cargo run --bin chatspec", "cargo run --locked --bin chatspec"),
  inCi("cargo test", "cargo test --locked"),
  run("chatspec init --launch 'node server.mjs'", { after: said("chatspec.toml", 'command = "node server.mjs"') }),
  run("chatspec doctor --target chatspec.toml", { before: () => describeServer() }),
  run("chatspec --target chatspec.toml --strict --report terminal --report json=chatspec.json", {
    after: said("chatspec.json", '"RATE-01"'),
  }),
  runAs("chatspec --only messages --only 'RATE-*'", "chatspec --quick --only messages --only 'RATE-*'", SHORT),
  run("chatspec --quick --timings"),
  run("chatspec explain MSG-07", { says: "MSG-07" }),
  run("chatspec repro MSG-07 --lang js", { says: "socket.io-client" }),
  run("chatspec snapshot --target chatspec.toml --out shapes"),
  runAs("chatspec load --target chatspec.toml --rooms 50", "chatspec load --target chatspec.toml --rooms 5 --rate 20 --duration 2s", SHORT),
  runAs(
    "cargo run --release --bin chatspec-server -- --listen 127.0.0.1:4000 --data ./data",
    "chatspec-server --listen 127.0.0.1:$PORT --data ./data",
    `${BUILT}; ${PORT}`,
    { serves: true },
  ),
  runAs("scripts/peers.sh node", "scripts/peers.sh node --quick", SHORT, { at: repository, says: "JavaScript peer" }),
  runAs(
    "chatspec --target chatspec.toml --report json=chatspec.json --report junit=chatspec.xml",
    "chatspec --quick --target chatspec.toml --report json=chatspec.json --report junit=chatspec.xml",
    SHORT,
    { before: () => describeServer({ breaksRate: true }), code: 1, after: said("chatspec.xml", "<failure") },
  ),
  run("chatspec baseline accept chatspec.json --baseline baseline.toml", { after: said("baseline.toml", 'id = "RATE-01"') }),
  runAs(
    "chatspec --target chatspec.toml --baseline baseline.toml",
    "chatspec --quick --target chatspec.toml --baseline baseline.toml",
    SHORT,
  ),
  run("chatspec diff main.json chatspec.json", { before: otherReports, code: 1, says: "pass → fail" }),
  run("chatspec matrix node.json go.json --report html=matrix.html", { after: said("matrix.html", "RATE-01") }),
  run("chatspec snapshot --target chatspec.toml --check shapes", { before: () => describeServer() }),
  inCi("chatspec sabotage", "sabotage --sample"),
  runAs(
    "chatspec sabotage --only 'MSG-*' --only typing-echoed",
    "chatspec sabotage --only typing-echoed --only MSG-05",
    SHORT,
    { says: "typing-echoed" },
  ),
  runAs("chatspec-server --listen 127.0.0.1:4000 --data ./data", "chatspec-server --listen 127.0.0.1:$PORT --data ./data", PORT, {
    serves: true,
  }),
  runAs(
    "chatspec-server --mongodb-uri mongodb://db.example/chat",
    `chatspec-server --mongodb-uri '${mongodb}' --listen 127.0.0.1:$PORT`,
    `that database is an example; ${PORT}`,
    { serves: true },
  ),
  inCi("cargo run --bin chatspec --features services -- --with-mongodb", "chatspec --require-all --with-mongodb"),
];

const guide = [
  inCi("cargo install --locked --path conformance", "scripts/install.sh"),
  runAs("cargo build --release --locked --bin chatspec", "cargo build --locked --features services --bin chatspec", BUILT, { at: repository }),
  run("chatspec init --launch 'exec node server.mjs' --key-env CHAT_JWT_SECRET", {
    before: () => rm(file("chatspec.toml")),
    after: said("chatspec.toml", 'jwt_secret_env = "CHAT_JWT_SECRET"'),
  }),
  run("chatspec doctor --target chatspec.toml", { before: () => describeServer({ breaksRate: true }) }),
  run("chatspec --target chatspec.toml --report terminal --report json=chatspec.json", { code: 1, says: "FAIL RATE-01 MUST" }),
  run("chatspec repro RATE-01 --lang js --target chatspec.toml --out rate-01.mjs"),
  run("npm install socket.io-client@4"),
  runAs("node rate-01.mjs http://127.0.0.1:3000", "node rate-01.mjs $URL", PORT, {
    server: `JWT_SECRET=${"x".repeat(32)} SEND_LIMIT=11 exec node server.mjs`,
    code: 1,
    says: "(RATE-01 MUST:",
  }),
  run("chatspec baseline accept chatspec.json --baseline baseline.toml", { before: () => rm(file("baseline.toml")) }),
  runAs(
    "chatspec run --target chatspec.toml --baseline baseline.toml",
    "chatspec run --quick --target chatspec.toml --baseline baseline.toml",
    SHORT,
  ),
  run("chatspec baseline prune chatspec.json --baseline baseline.toml", { after: said("baseline.toml", 'id = "RATE-01"') }),
  run("chatspec diff main.json chatspec.json", { code: 1, says: "pass → fail" }),
  run("chatspec matrix node.json python.json go.json", { says: "RATE-01" }),
  run("chatspec matrix node.json python.json go.json --report html=matrix.html --report markdown=matrix.md"),
  run("chatspec snapshot --target chatspec.toml --out shapes"),
  run("chatspec snapshot --target chatspec.toml --check shapes"),
  runAs(
    "chatspec load --target chatspec.toml --rooms 100 --rate 500 --duration 1m",
    "chatspec load --target chatspec.toml --rooms 10 --rate 50 --duration 2s",
    SHORT,
  ),
  runAs(
    "chatspec load --target chatspec.toml --connect-only 5000 --ramp 10s",
    "chatspec load --target chatspec.toml --connect-only 50 --ramp 1s --duration 1s",
    SHORT,
  ),
  runAs(
    "chatspec load --target chatspec.toml --report json=load.json --report html=load.html",
    "chatspec load --target chatspec.toml --report json=load.json --report html=load.html --rooms 5 --rate 20 --duration 2s",
    SHORT,
    { after: said("load.html", "<svg") },
  ),
  runAs(
    "CHATSPEC_URL=http://127.0.0.1:4000 cargo test --test scenarios",
    "CHATSPEC_URL=$URL cargo test --test scenarios rooms",
    `${PORT}; ${SHORT}`,
    { at: repository, server: "exec chatspec-server --in-memory --listen 127.0.0.1:$PORT", says: "test result: ok" },
  ),
  runAs(
    "CHATSPEC_TARGET=/path/to/chatspec.toml cargo test --test scenarios rooms",
    `CHATSPEC_TARGET=${file("chatspec.toml")} cargo test --test scenarios rooms`,
    "the file is in another folder",
    { at: repository, says: "test result: ok" },
  ),
];

/** Carries out one document: nothing in it may be missing in the list, and nothing in the list in it. */
function carryOut(path, list) {
  describe(path, () => {
    test("every command has its place in the list", async () => {
      assert.deepEqual(await commandsOf(path), list.map(({ text }) => text));
    });
    for (const [n, command] of list.entries()) {
      test(`${n + 1}. ${command.text}`, (t) => (command.step ? isInCi(command) : carry(t, command)));
    }
  });
}

function isInCi({ step }) {
  assert.ok(ci.split("\n").some((line) => !line.startsWith("#") && line.includes(step)), `CI has no step ${step}`);
}

async function carry(t, { text, as, reason, before, after, says = "", code, ...how }) {
  await before?.();
  if (reason) t.diagnostic(`${text}\n  as: ${as}\n  because ${reason}`);
  const ended = how.serves ? await shell.serve(as) : await shell.run(as, how);
  assert.equal(ended.code, code, ended.told);
  assert.ok(ended.told.includes(says), ended.told);
  await after?.();
}

await rm(work, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
for (const name of ["package.json", "package-lock.json", "node_modules", "server.mjs", "sockets.mjs", "store.mjs"]) {
  await cp(peer(name), file(name), { recursive: true });
}

carryOut("README.md", readme);
carryOut("docs/testing-your-server.md", guide);

// What the script for any CI fetches and compiles is here already: its git does nothing, and its cargo is a link.
test("the script for any other CI", async () => {
  await describeServer({ breaksRate: true });
  await mkdir(file("kit"));
  await mkdir(file("stand-ins"));
  await writeFile(file("stand-ins/git"), "#!/bin/sh\n", { mode: 0o755 });
  const cargo = `#!/bin/sh\nmkdir -p target/release && ln -s '${bin}/chatspec' target/release\n`;
  await writeFile(file("stand-ins/cargo"), cargo, { mode: 0o755 });
  await writeFile(file("ci.sh"), await scriptOf("docs/testing-your-server.md"));
  const ended = await shell.run("PATH=$PWD/stand-ins:$PATH CHATSPEC_KIT=kit sh ci.sh");
  assert.equal(ended.code, 1, ended.told);
  await said("chatspec.xml", "<failure")();
});
