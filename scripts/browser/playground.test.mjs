// What the server has at /docs, in a real browser: the pages about the contract, and two users in the playground. Each page
// may only talk to the server, and leaves no complaint on the console.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";

import axe from "axe-core";

import { launch } from "./chromium.mjs";

const PAGES = ["/docs", "/docs/events", "/docs/rest", "/docs/playground"];
const WITHIN = 10_000; // ms for what takes no time

let browser;
let server;
let origin;

before(async () => {
  const flags = ["--listen", "127.0.0.1:0", "--in-memory", "--log", "warn", "--password-memory-kib", "8", "--password-passes", "1", "--presence-window-ms", "100"];
  server = spawn(process.env.CHATSPEC_SERVER, flags, { stdio: ["ignore", "pipe", "inherit"] });
  origin = await new Promise((resolve, reject) => {
    server.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    server.stdout.once("data", (line) => resolve(/http:\/\/\S+/.exec(line)[0]));
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  server?.kill();
});

// Opens a page, and sees that all the while nobody else is asked and nothing is complained of.
async function look(path, options, what) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(WITHIN);
  const trouble = [];
  const own = (url) => ["http:", "ws:"].includes(new URL(url).protocol) && new URL(url).host === new URL(origin).host;
  page.on("console", (message) => trouble.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => trouble.push(`error: ${error}`));
  page.on("request", (request) => own(request.url()) || trouble.push(`request: ${request.url()}`));
  page.on("websocket", (socket) => own(socket.url()) || trouble.push(`websocket: ${socket.url()}`));
  try {
    await page.goto(origin + path);
    await what(page);
    assert.deepEqual(trouble, []);
  } finally {
    await context.close();
  }
}

// Two users in a chat of their own.
async function meet(page, transport = "") {
  await page.getByLabel("Transport").selectOption(transport);
  await page.getByRole("button", { name: "Register both and open a chat" }).click();
  await page.getByText(/^Ann and Ben are in the chat [0-9a-f]{24}\.$/).waitFor();
  return ["first", "second"].map((id) => pane(page.locator(`#${id}`)));
}

function pane(root) {
  const button = (name) => root.getByRole("button", { name, exact: true });
  const exchange = (text) => root.locator(".frames li").filter({ hasText: text }).last();
  return {
    root,
    button,
    exchange,
    body: root.getByLabel("Message", { exact: true }),
    message: (text) => root.locator(".messages li").filter({ hasText: text }),
    says: (selector, text) => root.locator(selector).filter({ hasText: text }).waitFor(),
    say: async (text) => {
      await root.getByLabel("Message", { exact: true }).fill(text);
      await button("Send").click();
    },
    // Sends an event by hand.
    sendEvent: async (event, payload, times = 1) => {
      if (!(await root.locator("details").getAttribute("open"))) {
        await root.locator("details").evaluate((details) => (details.open = true));
      }
      await root.getByLabel("Event", { exact: true }).selectOption(event);
      if (payload !== undefined) await root.getByLabel("Payload", { exact: true }).fill(payload);
      await root.getByLabel("Times", { exact: true }).fill(String(times));
      await button("Send event").click();
    },
  };
}

for (const transport of ["", "websocket", "polling"]) {
  test(`two panes exchange a message, a typing indicator, a receipt and presence: ${transport || "both transports"}`, async () => {
    await look("/docs/playground", {}, async (page) => {
      const [ann, ben] = await meet(page, transport);
      await ann.says(".state", /^connected$/);
      await ben.says(".state", /^connected$/);
      await ann.says(".presence", "Ben is online");

      await ann.body.pressSequentially("He");
      await ben.says(".typing", "Ann is typing…");
      await ann.body.fill("Hello 👋 <b>Ben</b>");
      await ann.button("Send").click();
      for (const side of [ann, ben]) {
        await side.message("Hello 👋 <b>Ben</b>").waitFor();
        assert.equal(await side.message("Hello").locator("b").innerText(), "Ann");
      }
      await ben.says(".typing", /^$/);
      await ann.exchange("message:send").filter({ hasText: /→.*42\d+\["message:send",.*←.*43\d+\[\{"ok":true,/s }).waitFor();
      await ben.exchange("message:new").filter({ hasText: /←.*42\["message:new",/s }).waitFor();

      await ben.button("Mark as read").click();
      await ann.message("Hello").getByText("read by Ben").waitFor();
      await ann.exchange("receipt:update").waitFor();

      await ben.say("Yes?");
      await ann.message("Yes?").waitFor();
      await ann.button("Mark as read").click();
      await ben.message("Yes?").getByText("read by Ann").waitFor();
      await ben.button("Mark as read").click();
      await ann.message("Yes?").getByText("read by Ben and Ann").waitFor();
      assert.equal(await ann.message("Hello").locator("small").innerText(), "");

      await ann.button("Ping").click();
      await ann.exchange("presence:ping").getByText('"serverTime"').waitFor();

      await ben.button("Disconnect").click();
      await ben.says(".state", "not connected");
      await ann.says(".presence", "Ben is offline");
      assert.ok(await ben.button("Send").isDisabled());
      await ann.say("Are you gone?");
      await ann.message("Are you gone?").waitFor();
      await ben.button("Connect").click();
      await ann.says(".presence", "Ben is online");
      await ben.message("Are you gone?").waitFor();
    });
  });
}

test("who stops typing is seen to", async () => {
  await look("/docs/playground", {}, async (page) => {
    const [ann, ben] = await meet(page);
    await ann.body.pressSequentially("Well");
    await ben.says(".typing", "Ann is typing…");
    await ben.says(".typing", /^$/);
    assert.equal(await ann.root.locator(".frames li").filter({ hasText: '"typing:start"' }).count(), 1);
    assert.equal(await ann.root.locator(".frames li").filter({ hasText: '"typing:stop"' }).count(), 1);
  });
});

test("what was missed is there after a new connection, in its order", async () => {
  await look("/docs/playground", {}, async (page) => {
    const [ann, ben] = await meet(page);
    await ann.say("one");
    await ben.message("one").waitFor();
    await ben.button("Disconnect").click();
    await ben.says(".state", "not connected");
    for (const text of ["two", "three", "four"]) {
      await ann.say(text);
      await ann.message(text).waitFor();
    }
    assert.equal(await ben.message("two").count(), 0);
    await ben.button("Connect").click();
    await ben.says(".state", /^connected$/);
    await ann.say("five");
    await ben.message("five").waitFor();
    await ben.message("four").waitFor();
    const texts = await ben.root.locator(".messages li span").allInnerTexts();
    assert.deepEqual(texts, ["one", "two", "three", "four", "five"]);
    await ben.exchange(/GET .*\/messages\?after=[0-9a-f]{24}/).getByText("HTTP 200").waitFor();
  });
});

test("a failing exchange is marked, and can be copied as text", async () => {
  await look("/docs/playground", { permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
    const [ann] = await meet(page);
    await ann.sendEvent("room:join", '{"chatId": "nonsense"}');
    const exchange = ann.exchange("nonsense");
    await exchange.locator(".failed").filter({ hasText: "VALIDATION_ERROR" }).waitFor();
    await ann.says(".trouble", "room:join was refused: VALIDATION_ERROR");
    await exchange.getByRole("button", { name: "Copy" }).click();
    await page.getByText("This is in the clipboard:").waitFor();
    const text = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(await page.getByLabel("Copied text").inputValue(), text);
    const [heading, request, answer, ...rest] = text.split("\n");
    assert.match(heading, new RegExp(`^Ann at ${origin}, times in ms since \\d{4}-\\d\\d-\\d\\dT[^ ]+Z$`));
    assert.match(request, /^ +\d+\.\d → 42(\d+)\["room:join",\{"chatId":"nonsense"\}\]$/);
    const [, id] = /42(\d+)\[/.exec(request);
    assert.match(answer, new RegExp(`^ +\\d+\\.\\d ← 43${id}\\[\\{"ok":false,"error":"VALIDATION_ERROR",.*\\]$`));
    assert.deepEqual(rest, []);
  });
});

test("what is too much is refused in sight", async () => {
  await look("/docs/playground", {}, async (page) => {
    const [ann, ben] = await meet(page);
    await ann.sendEvent("message:send", undefined, 11);
    await ann.exchange("RATE_LIMITED").locator(".failed").waitFor();
    await ben.message("hello").nth(9).waitFor();
    assert.equal(await ben.message("hello").count(), 10);
    assert.equal(await ann.root.locator(".frames .failed").count(), 1);
  });
});

test("a payload that is no JSON is told, and nothing is sent", async () => {
  await look("/docs/playground", {}, async (page) => {
    const [ann] = await meet(page);
    const sent = () => ann.root.locator(".frames li").count();
    const before = await sent();
    await ann.sendEvent("typing:start", "{");
    await ann.says(".trouble", "The payload is no JSON");
    assert.equal(await sent(), before);
  });
});

test("no token, no password and no session id is shown or copied", async () => {
  await look("/docs/playground", {}, async (page) => {
    const secrets = [];
    page.on("response", async (response) => {
      if (response.url().includes("/socket.io/")) {
        const sids = (await response.text().catch(() => "")).match(/(?<="sid":")[^"]+/g);
        return secrets.push(...(sids ?? []));
      }
      if (!response.url().endsWith("/v1/auth/register")) return;
      const { accessToken, sessionToken } = await response.json();
      secrets.push(accessToken, sessionToken, response.request().postDataJSON().password);
    });
    const [ann] = await meet(page, "polling");
    assert.ok(secrets.length >= 8, `${secrets.length}`);
    await ann.exchange('40{"token":"…"}').waitFor();
    await ann.exchange('40{"sid":"…"}').waitFor();
    await ann.button("Copy all").click();
    const copied = page.getByLabel("Copied text");
    await copied.waitFor();
    const all = (await copied.inputValue()) + (await page.locator("main").innerText());
    assert.match(all, /"password":"…"/);
    for (const secret of secrets) assert.ok(secret && !all.includes(secret), secret);
    assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length), 0);
  });
});

test("another two can meet on the same page", async () => {
  await look("/docs/playground", {}, async (page) => {
    const [before] = await meet(page);
    await before.say("to be forgotten");
    await before.message("to be forgotten").waitFor();
    const chat = await page.locator("#status").innerText();
    await page.getByRole("button", { name: "Register both and open a chat" }).click();
    await page.waitForFunction(
      (old) => /are in the chat/.test(document.getElementById("status").textContent) && document.getElementById("status").textContent !== old,
      chat,
    );
    const [ann, ben] = ["first", "second"].map((id) => pane(page.locator(`#${id}`)));
    assert.equal(await ann.message("to be forgotten").count(), 0);
    await ben.say("anew");
    await ann.message("anew").waitFor();
    assert.equal(await ann.message("anew").count(), 1);
  });
});

test("the keyboard is enough", async () => {
  await look("/docs/playground", {}, async (page) => {
    const focused = () => page.evaluate(() => document.activeElement.textContent || document.activeElement.id);
    const tabTo = async (mark) => {
      for (let n = 0; n < 80; n++) {
        await page.keyboard.press("Tab");
        if ((await focused()).includes(mark)) return;
      }
      assert.fail(`Tab does not lead to ${mark}`);
    };
    await page.keyboard.press("Tab");
    assert.match(await focused(), /Skip to the content/);
    await page.keyboard.press("Enter");
    await tabTo("Register both");
    await page.keyboard.press("Enter");
    await page.getByText(/are in the chat/).waitFor();
    await tabTo("first-body");
    await page.keyboard.type("typed");
    await page.keyboard.press("Enter");
    await pane(page.locator("#second")).message("typed").waitFor();
    await tabTo("Send any event");
    await page.keyboard.press("Enter");
    await tabTo("first-payload");
  });
});

test("every link leads to a page or a place in it", async () => {
  for (const path of PAGES) {
    await look(path, {}, async (page) => {
      const hrefs = await page.locator("body a").evaluateAll((all) => [...new Set(all.map((a) => a.href))]);
      assert.ok(hrefs.length > 4);
      for (const href of hrefs) {
        const { pathname, hash } = new URL(href);
        if (hash && pathname === path) assert.equal(await page.locator(`[id="${hash.slice(1)}"]`).count(), 1, href);
        else assert.ok((await page.request.get(href)).ok(), href);
      }
    });
  }
});

test("without scripts the contract can be read, and the playground says what it needs", async () => {
  for (const path of PAGES) {
    await look(path, { javaScriptEnabled: false }, async (page) => {
      assert.ok(await page.locator("h2").first().isVisible());
      if (path === "/docs/playground") assert.ok(await page.getByText("This page needs JavaScript.").isVisible());
    });
  }
});

test("what is linked to within a page is in view", async () => {
  await look("/docs/events#type-messagedto", {}, async (page) => {
    const { y } = await page.locator("#type-messagedto").boundingBox();
    assert.ok(y >= 0 && y < 900, `${y}`);
  });
});

test("headings, landmarks and tables are what they should be", async () => {
  for (const path of PAGES) {
    await look(path, {}, async (page) => {
      const levels = await page.locator("h1, h2, h3, h4").evaluateAll((all) => all.map((h) => Number(h.tagName[1])));
      levels.forEach((level, n) => assert.ok(n === 0 ? level === 1 : level <= levels[n - 1] + 1, `${path}: ${levels.join("")}`));
      for (const role of ["banner", "main", "contentinfo"]) assert.equal(await page.getByRole(role).count(), 1, role);
      assert.equal(await page.locator("[aria-current=page]").getAttribute("href"), path);
      assert.equal(await page.locator("table:not(:has(caption)), th:not([scope])").count(), 0);
    });
  }
});

test("on a phone no page scrolls sideways", async () => {
  for (const path of PAGES) {
    await look(path, { viewport: { width: 320, height: 640 } }, async (page) => {
      if (path === "/docs/playground") {
        const [ann] = await meet(page);
        await ann.sendEvent("room:join", '{"chatId": "nonsense"}');
        await ann.exchange("VALIDATION_ERROR").waitFor();
      }
      await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wide <= 0, `${path}: ${wide} px too wide`);
    });
  }
});

for (const [how, options] of [
  ["in the light", { colorScheme: "light" }],
  ["in the dark", { colorScheme: "dark" }],
  ["on a phone", { viewport: { width: 360, height: 640 } }],
]) {
  for (const path of PAGES) {
    test(`axe finds nothing to complain of: ${path}, ${how}`, async () => {
      await look(path, options, async (page) => {
        if (path === "/docs/playground") {
          const [ann, ben] = await meet(page);
          await ann.say("Hello");
          await ben.message("Hello").waitFor();
          await ben.button("Mark as read").click();
          await ann.message("Hello").getByText("read by Ben").waitFor();
          await ann.sendEvent("room:join", '{"chatId": "nonsense"}');
          await ann.exchange("VALIDATION_ERROR").waitFor();
          await ann.button("Copy all").click();
          await page.getByLabel("Copied text").waitFor();
        }
        await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
        await page.evaluate(axe.source);
        const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
        assert.ok(passes.some((rule) => rule.id === "color-contrast"));
        const found = violations.map((v) => `${v.impact} ${v.id}: ${v.nodes[0].html} ${v.nodes[0].failureSummary}`);
        assert.deepEqual(found, []);
      });
    });
  }
}
