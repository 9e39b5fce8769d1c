// Reads TAP reports with the parser of node-tap, and compares what it makes of them with what was meant.
// Usage: node tap.mjs FOLDER, which has expected.json and a NAME.tap for each NAME in it
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Parser } from "tap-parser";

const folder = process.argv[2];
const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8"));

for (const [name, { requirements, later, fails, cut_short }] of Object.entries(expected)) {
  const points = [];
  const comments = [];
  const parser = new Parser({ strict: true });
  parser.on("assert", (point) => points.push(point));
  parser.on("comment", (comment) => comments.push(comment));
  parser.end(readFileSync(join(folder, `${name}.tap`), "utf8"));
  const results = parser.results;

  // What is no TAP counts as a failure without being a point.
  assert.deepEqual(results.failures.filter((failure) => failure.tapError), [], name);
  assert.equal(results.ok, !fails, name);
  assert.equal(Boolean(results.bailout), cut_short, name);
  assert.ok(comments.some((comment) => comment.startsWith("# protocol ")), name);
  const told = [...requirements, ...later].map((requirement) => requirement.id);
  assert.deepEqual(points.map((point) => point.name.split(" ")[0]).slice(0, told.length), told, name);
  requirements.forEach(({ id, statement, verdict, known }, i) => {
    const { ok, skip, todo, diag, name: description } = points[i];
    assert.equal(description, `${id} ${statement}`, name);
    assert.equal(ok, verdict === "pass" || Boolean(skip), name);
    assert.equal(Boolean(todo), known || verdict === "warn", `${name}: ${id}`);
    if (!ok) assert.equal(diag.requirement, id, name);
  });
  later.forEach(({ id }, i) => {
    const { ok, skip } = points[requirements.length + i];
    assert.ok(ok && skip, `${name}: ${id}`);
  });
}
console.log(`tap-parser reads ${Object.keys(expected).length} reports as they are meant`);
