// Takes pictures of an HTML report and of what the terminal shows: pictures.mjs REPORT.html TERMINAL.txt FOLDER
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { AnsiUp } from "ansi_up";

import { launch } from "./chromium.mjs";

const [report, terminal, folder] = process.argv.slice(2);
const browser = await launch();
const open = (width) => browser.newPage({ viewport: { width, height: 600 } });

// From the top down to the end of the first failure.
const page = await open(1080);
await page.goto(pathToFileURL(resolve(report)).href);
const { y, height } = await page.locator("article.failure").first().boundingBox();
await page.screenshot({
  path: join(folder, "report.png"),
  fullPage: true,
  clip: { x: 0, y: 0, width: 1080, height: Math.ceil(y + height + 12) },
});

// Lines that are too long end at the edge of the window.
const ansi = new AnsiUp();
ansi.use_classes = true;
const text = ansi.ansi_to_html((await readFile(terminal, "utf8")).trim());
const window = await open(960);
await window.setContent(`<!doctype html><style>
  body { margin: 0; background: #16181b; color: #d9d9d4; }
  pre { margin: 0; padding: 20px 24px; font: 13px/1.45 ui-monospace, monospace; font-variant-ligatures: none; overflow: hidden; }
  div { overflow: hidden; white-space: pre; text-overflow: ellipsis; min-height: 1.45em; }
  .prompt { color: #8b9098; }
  .ansi-green-fg { color: #74cf9a; } .ansi-red-fg { color: #ff8f84; }
  .ansi-yellow-fg { color: #e3b155; } .ansi-cyan-fg { color: #7fc7d9; }
</style><pre><div class="prompt">$ chatspec --target chatspec.toml --only rooms --only typing --only messages/size</div></pre>`);
await window.locator("pre").evaluate((pre, text) => {
  for (const line of text.split("\n")) pre.append(Object.assign(document.createElement("div"), { innerHTML: line }));
}, text);
await window.screenshot({ path: join(folder, "terminal.png"), fullPage: true });
await browser.close();
