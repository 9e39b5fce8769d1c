// The commands of a document.
import { readFile } from "node:fs/promises";

/** The lines of the blocks that are indented by four and have no fence, without what is said behind a `#`. */
export async function commandsOf(path) {
  const text = (await readFile(path, "utf8")).replace(/^```[^]*?^```$/gm, "");
  return text
    .split("\n")
    .filter((line) => line.startsWith("    "))
    .map((line) => line.replace(/\s+# .*$/, "").trim());
}

/** The one block of a document that is a shell script. */
export async function scriptOf(path) {
  const [, script] = (await readFile(path, "utf8")).match(/^```sh\n([^]*?)^```$/m);
  return script;
}
