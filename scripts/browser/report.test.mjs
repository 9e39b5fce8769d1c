// The HTML report in a real browser: with a mouse and without, with and without scripts, in the dark, on a phone, on paper.
import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import axe from "axe-core";

import { launch } from "./chromium.mjs";

const REPORTS = ["conforms", "failures", "lost", "interrupted"];

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const path = (report) => join(process.env.CHATSPEC_REPORTS, `${report}.html`);

// Opens a report, and sees that all the while nothing is asked of the network and nothing is complained of.
async function look(report, options, what) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  const url = pathToFileURL(path(report)).href;
  const trouble = [];
  page.on("console", (message) => trouble.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => trouble.push(`error: ${error}`));
  page.on("dialog", (dialog) => trouble.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => request.url().split("#")[0] === url || trouble.push(`request: ${request.url()}`));
  try {
    await page.goto(url + (options?.hash ?? ""));
    await what(page);
    assert.deepEqual(trouble, []);
  } finally {
    await context.close();
  }
}

const rows = (page) => page.locator("table.requirements tbody tr:visible");
const ids = async (page) => (await rows(page).locator("th").allTextContents()).map((id) => id.trim());
const told = (page) => page.locator("#shown").textContent();
const choose = (page, name) => page.locator(".filter label", { hasText: name }).first().click();
const unfold = (page) => page.evaluate(() => document.querySelectorAll("details").forEach((d) => (d.open = true)));
const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

test("the headline and the remarks say how the run went", async () => {
  for (const [report, headline, remark] of [
    ["conforms", "conforms, as far as this run looked", ""],
    ["failures", "does not conform", "Judged by the target's own limits: rate_max = 9 instead of 10"],
    ["lost", "incomplete: the target has stopped answering", "the run was given up: "],
    ["interrupted", "incomplete: the run was interrupted", "Interrupted. The run was cut short"],
  ]) {
    await look(report, {}, async (page) => {
      assert.equal(await page.locator("h1").count(), 1);
      assert.match(await page.locator("h1").innerText(), new RegExp(`${headline}$`));
      assert.match(await page.title(), new RegExp(headline));
      const remarks = await page.locator(".remark").allInnerTexts();
      assert.ok(remark === "" ? remarks.length === 0 : remarks.some((text) => text.includes(remark)), remarks.join());
      assert.ok(await page.locator(".counts tbody tr").first().isVisible());
    });
  }
});

test("what a target is called is shown, not run", async () => {
  await look("failures", {}, async (page) => {
    const name = "<script>document.title = 1</script><b>bold</b> U+202Egnp.exe␇";
    assert.equal(await page.locator("h1 bdi").innerText(), name);
    assert.match(await page.title(), /^<script>document.title = 1<\/script>/);
    assert.equal(await page.locator("h1 b").count(), 0);
  });
});

test("every failure is there with what was expected, what was seen, and the exchange", async () => {
  await look("failures", {}, async (page) => {
    const failed = await page.locator('tr[data-verdict="fail"]').count();
    assert.ok(failed >= 2, `${failed} failures`);
    const cards = page.locator("article.failure");
    assert.equal(await cards.count(), failed);
    for (const card of await cards.all()) {
      assert.match(await card.locator(".found").first().innerText(), /Expected\s[^]+Got\s[^]+/);
      const exchange = card.locator("table.exchange").first();
      assert.ok(await exchange.isVisible());
      assert.ok((await exchange.locator("tbody tr").count()) > 2);
    }
    const lanes = await page.locator("#failure-RATE-01 table.exchange").first().locator("thead th").allInnerTexts();
    assert.equal(lanes[0], "ms");
    assert.deepEqual(lanes.slice(-2), ["server", "What"]);
    assert.ok(lanes.includes("alice"), lanes.join());
  });
});

test("arrows lead from the client's lane to the server's, or back", async () => {
  await look("failures", {}, async (page) => {
    for (const [row, head, tail] of [["out", "server", "end"], ["in", "end", "server"]]) {
      const drawn = await page.locator(`table.exchange tr.${row}`).first().evaluate(
        (tr, [head, tail]) => {
          const style = (cell, part) => getComputedStyle(tr.querySelector(`.lane.${cell}`), part);
          const [line, tip] = [style(tail, "::before"), style(head, "::after")];
          return [line.borderTopWidth !== "0px", tip.content !== "none", style(tail, "::after").content];
        },
        [head, tail],
      );
      assert.deepEqual(drawn, [true, true, "none"], row);
    }
  });
});

test("a text that is folded can be had in full", async () => {
  await look("failures", {}, async (page) => {
    const long = page.locator("table.exchange details").first();
    const full = long.locator("pre");
    assert.ok(!(await full.isVisible()));
    await long.locator("summary").click();
    assert.ok(await full.isVisible());
    const [short, all] = [await long.locator("summary").innerText(), await full.innerText()];
    assert.ok(all.length > short.length && all.startsWith(short.slice(0, 60).trim()), `${short}\n${all}`);
  });
});

test("the filter goes by verdict, level, area and words, and says how many are left", async () => {
  await look("failures", {}, async (page) => {
    const all = await rows(page).count();
    assert.equal(await told(page), `${all} requirements`);

    await choose(page, "fail");
    const failed = await ids(page);
    assert.equal(failed.length, await page.locator("article.failure").count());
    assert.equal(await told(page), `${failed.length} of ${all} requirements`);

    await page.getByLabel("Text", { exact: true }).fill("eleventh window");
    assert.deepEqual(await ids(page), ["RATE-01"]);
    assert.equal(await told(page), `1 of ${all} requirements`);
    assert.equal(await page.locator("table.requirements:visible").count(), 1, "areas without any go away");

    await page.getByLabel("Text", { exact: true }).fill("");
    await choose(page, "all");
    await choose(page, "SHOULD");
    assert.ok((await rows(page).count()) > 0);
    assert.equal(await rows(page).filter({ hasText: "MUST" }).count(), 0);

    await choose(page, "MUST");
    await page.getByLabel("Area", { exact: true }).selectOption({ label: "Rooms" });
    const rooms = await ids(page);
    assert.ok(rooms.length > 0 && rooms.every((id) => id.startsWith("ROOM-")), rooms.join());

    await page.getByLabel("Text", { exact: true }).fill("nobody wrote this");
    assert.equal(await told(page), `0 of ${all} requirements`);
    assert.equal(await page.locator("#shown").getAttribute("aria-live"), "polite");
  });
});

test("nothing is remembered", async () => {
  await look("failures", {}, async (page) => {
    await choose(page, "fail");
    await page.getByLabel("Text", { exact: true }).fill("eleventh");
    await page.reload();
    assert.match(await told(page), /^\d+ requirements$/);
    assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length), 0);
  });
});

test("a requirement can be linked to, even one that the filter hides", async () => {
  await look("failures", { hash: "#RATE-01" }, async (page) => {
    const row = page.locator("tr#RATE-01");
    const inView = () => row.evaluate((tr) => {
      const { top, bottom } = tr.getBoundingClientRect();
      return tr.matches(":target") && top >= 0 && bottom <= innerHeight;
    });
    assert.ok(await inView());

    await choose(page, "pass");
    assert.ok(!(await row.isVisible()));
    await page.evaluate(() => history.replaceState(null, "", "#"));
    await page.locator("#failure-RATE-01 h3 a").click();
    assert.ok(await row.isVisible());
    await page.waitForFunction(() => document.querySelector("tr:target")?.getBoundingClientRect().top < innerHeight);
    assert.ok(await inView());

    await row.getByRole("link", { name: "evidence" }).click();
    assert.match(page.url(), /#failure-RATE-01$/);
    await page.locator("#failure-RATE-01 h4 a").first().click();
    assert.ok(await page.locator("tr:target", { hasText: "rate-limit/" }).isVisible());
  });
});

test("every anchor that is linked to is there, once", async () => {
  for (const report of REPORTS) {
    await look(report, {}, async (page) => {
      const [broken, twice] = await page.evaluate(() => {
        const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
        const hrefs = [...document.querySelectorAll("a")].map((a) => a.getAttribute("href"));
        return [
          hrefs.filter((href) => !ids.includes(href.slice(1))),
          ids.filter((id, n) => ids.indexOf(id) !== n),
        ];
      });
      assert.deepEqual([broken, twice], [[], []], report);
    });
  }
});

test("the keyboard is enough", async () => {
  await look("failures", {}, async (page) => {
    const focused = () => page.evaluate(() => document.activeElement.outerHTML.slice(0, 100));
    const tabTo = async (mark) => {
      for (let n = 0; n < 200; n++) {
        await page.keyboard.press("Tab");
        if ((await focused()).includes(mark)) return;
      }
      assert.fail(`Tab does not lead to ${mark}`);
    };
    await page.keyboard.press("Tab");
    assert.match(await focused(), /Skip to the results/);
    assert.ok((await page.locator(".skip").boundingBox()).width > 50, "it can be seen when it has the focus");
    await page.keyboard.press("Enter");
    assert.match(await focused(), /^<main/);

    await tabTo("<summary");
    const unfolded = await page.locator("details[open]").count();
    await page.keyboard.press("Enter");
    assert.notEqual(await page.locator("details[open]").count(), unfolded);

    await tabTo('name="verdict"');
    await page.keyboard.press("ArrowRight");
    assert.ok((await ids(page)).includes("RATE-01"));
    assert.equal(await rows(page).count(), await page.locator("article.failure").count());
    const ring = page.locator(".filter input:focus-visible + span");
    assert.notEqual(await ring.evaluate((span) => getComputedStyle(span).outlineStyle), "none");

    await tabTo('id="words"');
    await page.keyboard.type("eleventh");
    assert.deepEqual(await ids(page), ["RATE-01"]);
    await tabTo('aria-label="Requirements by area"');
  });
});

test("on a phone the page does not scroll sideways, and what is wider has a box of its own", async () => {
  for (const report of REPORTS) {
    await look(report, { viewport: { width: 320, height: 640 } }, async (page) => {
      await unfold(page);
      assert.ok((await overflow(page)) <= 0, `${report}: ${await overflow(page)} px too wide`);
      const boxes = await page.locator(".scroll").evaluateAll((all) =>
        all.map((box) => [box.scrollWidth > box.clientWidth, box.tabIndex, box.getAttribute("aria-label")]),
      );
      assert.ok(boxes.some(([scrolls]) => scrolls));
      assert.ok(boxes.every(([, tabIndex, label]) => tabIndex === 0 && label), JSON.stringify(boxes));
    });
  }
});

test("it is dark where that is wanted", async () => {
  const lightness = async (colorScheme) => {
    let sum;
    await look("failures", { colorScheme }, async (page) => {
      const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      sum = colour.match(/\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b);
    });
    return sum;
  };
  assert.ok((await lightness("light")) > 700);
  assert.ok((await lightness("dark")) < 150);
});

test("verdicts can be told apart without colours", async () => {
  await look("failures", {}, async (page) => {
    const words = await page.locator("table.requirements .verdict").allInnerTexts();
    for (const [sign, word] of [["✗", "fail"], ["✓", "pass"], ["○", "unverified"]]) {
      assert.ok(words.includes(`${sign} ${word}`), `${sign} ${word}`);
    }
  });
});

test("on paper everything is there, and nothing to press", async () => {
  await look("failures", { viewport: { width: 750, height: 1000 } }, async (page) => {
    await choose(page, "fail");
    await page.emulateMedia({ media: "print" });
    assert.ok(!(await page.locator("#filter").isVisible()));
    assert.ok(!(await page.locator("nav").isVisible()));
    assert.ok((await overflow(page)) <= 0, `${await overflow(page)} px too wide`);
    const hidden = await page.evaluate(() => {
      const inside = [...document.querySelectorAll("details > pre, details > ol, details > .scroll, tbody tr")];
      return [inside.length, inside.filter((e) => !e.checkVisibility({ contentVisibilityAuto: true })).length];
    });
    assert.ok(hidden[0] > 100, `${hidden[0]} in all`);
    assert.equal(hidden[1], 0);
    const sheets = await page.pdf({ format: "A4" });
    assert.ok(sheets.length > 10_000);
  });
});

test("without scripts everything can be read", async () => {
  await look("failures", { javaScriptEnabled: false }, async (page) => {
    assert.ok(!(await page.locator("#filter").isVisible()), "a filter that does nothing would only be in the way");
    const all = page.locator("table.requirements tbody tr");
    assert.ok((await all.count()) > 20);
    assert.equal(await rows(page).count(), await all.count());
    for (const part of ["h1", ".counts", "article.failure >> nth=0", "table.exchange >> nth=0", "#scenarios"]) {
      assert.ok(await page.locator(part).isVisible(), part);
    }
    const steps = page.locator("table.scenarios details").first();
    await steps.locator("summary").click();
    assert.ok(await steps.locator("li").first().isVisible());
  });
});

test("headings, landmarks and tables are what they should be", async () => {
  for (const report of REPORTS) {
    await look(report, {}, async (page) => {
      const levels = await page.locator("h1, h2, h3, h4").evaluateAll((all) => all.map((h) => Number(h.tagName[1])));
      levels.forEach((level, n) => assert.ok(n === 0 ? level === 1 : level <= levels[n - 1] + 1, levels.join("")));
      assert.equal(await page.locator("html").getAttribute("lang"), "en");
      for (const role of ["banner", "navigation", "main", "contentinfo", "search"]) {
        assert.equal(await page.getByRole(role).count(), 1, role);
      }
      assert.equal(await page.locator("table:not(:has(caption)), th:not([scope])").count(), 0);
    });
  }
});

for (const [report, how, options, prepare] of [
  ["conforms", "in the light", { colorScheme: "light" }],
  ["failures", "in the light", { colorScheme: "light" }],
  ["failures", "in the dark, all unfolded", { colorScheme: "dark" }, unfold],
  ["failures", "on a phone, all unfolded", { viewport: { width: 360, height: 640 } }, unfold],
  ["lost", "in the dark", { colorScheme: "dark" }],
  ["interrupted", "in the light, all unfolded", { colorScheme: "light" }, unfold],
]) {
  test(`axe finds nothing to complain of: ${report}, ${how}`, async () => {
    await look(report, options, async (page) => {
      await prepare?.(page);
      await page.evaluate(axe.source);
      const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
      assert.ok(passes.some((rule) => rule.id === "color-contrast"));
      const found = violations.map((v) => `${v.impact} ${v.id}: ${v.nodes[0].html} ${v.nodes[0].failureSummary}`);
      assert.deepEqual(found, []);
    });
  });
}

test("no report is larger than 1 MB", async () => {
  for (const report of REPORTS) assert.ok((await stat(path(report))).size < 1_000_000, report);
});
