import { assert, assertEquals } from "@std/assert";
import { noInk, wrapped } from "../../lib/cli/output/ink.ts";
import { rowLines } from "../../lib/cli/output/rows.ts";
import { widthOf } from "../../lib/cli/output/width.ts";

const system = `/nix/store/${
  "f1rs4nmr9y3v7mp2".repeat(2)
}-nixos-system-web-26.05.20261126.4e1a9b0`;

const at = (columns: number, text: string, label = "runs") =>
  rowLines([{ label, text }], { ink: noInk, columns });

Deno.test("a path that is longer than a line breaks between its parts", () => {
  const text = `${system}, which gitops-sync did not deploy`;
  assertEquals(at(80, text), [
    "runs  /nix/store/f1rs4nmr9y3v7mp2f1rs4nmr9y3v7mp2-nixos-system-web-",
    "      26.05.20261126.4e1a9b0, which gitops-sync did not deploy",
  ]);
  assertEquals(at(120, text), [
    `runs  ${system}, which gitops-sync did not`,
    "      deploy",
  ]);
  assertEquals(rowLines([{ label: "runs", text }]), [`runs  ${text}`]);
});

Deno.test("what has no parts breaks at the edge, and nothing is lost", () => {
  const words = ["x".repeat(200), "/".repeat(90), "日本".repeat(60), "a-b"];
  for (const columns of [27, 60, 80]) {
    for (const text of [...words, words.join(" "), `- ${words[0]}`]) {
      const lines = at(columns, text);
      assert(lines.every((line) => widthOf(line) <= columns), lines.join("\n"));
      const told = lines.map((line) => line.slice(6)).join("");
      assertEquals(told.replaceAll(" ", ""), text.replaceAll(" ", ""));
    }
  }
});

Deno.test("a part that is almost as long as the line is not torn off", () => {
  // The first separator alone would leave a line that is almost empty.
  assertEquals(at(46, `/${"y".repeat(60)}`), [
    `runs  /${"y".repeat(39)}`,
    `      ${"y".repeat(21)}`,
  ]);
});

Deno.test("a command stays together, for gitops-sync alone is another one", () => {
  const hint = "now run gitops-sync resume and wait";
  assertEquals(wrapped(hint, 22), [
    "now run",
    "gitops-sync resume and",
    "wait",
  ]);
  assertEquals(at(30, hint, "next"), [
    "next  now run",
    "      gitops-sync resume and",
    "      wait",
  ]);
  assertEquals(at(30, hint.replace(/gitops.*resume/, "`$&`"), "next"), [
    "next  now run",
    "      `gitops-sync resume` and",
    "      wait",
  ]);
});
