import { assertEquals } from "@std/assert";
import { gathered, read, written } from "./golden.ts";
import { messagesIn, steady } from "./messages.ts";

Deno.test("what is another with each run has a placeholder", () => {
  const table: [line: string, shown: string][] = [
    [
      "error: Cannot build 0123456789ab: sops failed (exit code 3)",
      "error: Cannot build REVISION: sops failed (exit code N)",
    ],
    [
      "Cannot reach file:///tmp/world-1/infra.git: it is asked again after 1m30s",
      "Cannot reach URL: it is asked again after TIME",
    ],
    ["http://127.0.0.1:34567/a.git answers", "URL answers"],
    ["127.0.0.1:1 accepts no connection", "ADDRESS accepts no connection"],
    [
      `/nix/store/${"a1".repeat(16)}-nixos-system-web/bin/x`,
      "STORE-PATH/bin/x",
    ],
    [
      "doctor (process 17, since 2026-11-27T08:00:00.000Z) holds it",
      "COMMAND (process N, since TIME) holds it",
    ],
    [
      "FILE:3: Cannot use 90 for a: expected a duration such as 90s",
      "FILE:N: Cannot use N for a: expected a duration such as 90s",
    ],
    ["ssh-keygen -t ed25519; see web-1", "ssh-keygen -t ed25519; see web-1"],
    [
      "0123456789ab is held since 2026-01-02 03:04:05: Cannot build",
      "REVISION is held since TIME: MESSAGE",
    ],
    ["cut off at the prove stage", "cut off at the STAGE stage"],
  ];
  for (const [line, shown] of table) assertEquals(steady(line), shown);
});

Deno.test("the file that is written is read as it was", () => {
  const stderr = `build: it begins
error: Cannot build
  the first line
  the second line
hint: do this
hint: or that
warning: a word
fetch: done (0.1s)
a remark
hint: with a hint
`;
  const all = gathered(messagesIn({ code: 6, stderr }));
  assertEquals([...all.keys()], [
    "error: Cannot build\nhint: do this\nhint: or that",
    "warning: a word",
    "a remark\nhint: with a hint",
  ]);
  assertEquals(read(written(all)), all);
});

Deno.test("the order of the tests does not matter", () => {
  const ended = [2, 1].map((code) => ({
    code,
    stderr: `error: no\n  evidence ${"ab"[code - 1]}\n`,
  }));
  const texts = [ended, ended.toReversed()].map((all) =>
    written(gathered(all.flatMap(messagesIn)))
  );
  assertEquals(texts[0], texts[1]);
});
