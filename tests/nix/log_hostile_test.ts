import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assert, assertEquals } from "@std/assert";
import { NixLog } from "../../lib/nix/log.ts";

/** A log that has read these lines. */
function after(lines: readonly string[]): NixLog {
  const log = new NixLog();
  lines.forEach((line) => log.line(line));
  return log;
}

const message = (fields: Record<string, unknown>) =>
  `@nix ${JSON.stringify({ action: "msg", level: 0, ...fields })}`;

/** The bytes that are in use when all garbage is collected. */
function keptMemory(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return Deno.memoryUsage().heapUsed;
}

Deno.test("nothing that comes in throws or reaches the terminal as it is", () => {
  const values: unknown[] = [
    null,
    undefined,
    true,
    -1,
    1e308,
    "",
    "x",
    "\u001b[31m\u0007\u202e",
    [],
    {},
    [[]],
    [null, {}],
    { length: -1 },
  ];
  const hostile = [
    "",
    "@nix",
    "@nix ",
    "@nix {",
    "@nix null",
    "@nix []",
    "@nix 5",
    '@nix "x"',
    "@nix {}",
    '@nix {"action":"msg","level":0,"__proto__":{"raw_msg":"x"}}',
    `@nix ${"[".repeat(200_000)}`,
    `@nix ${"[".repeat(200_000)}${"]".repeat(200_000)}`,
    `@nix ${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`,
    "\u0000\u001b[2J\u202e",
    "error:",
    `error: ${"x".repeat(100_000)}`,
    `@nix {"action":"start","id":${"9".repeat(400)},"type":105}`,
  ];
  for (const action of ["start", "stop", "result", "msg", ...values]) {
    for (const value of values) {
      hostile.push(`@nix ${
        JSON.stringify({
          action,
          id: 1,
          type: 105,
          level: 0,
          fields: value,
          raw_msg: value,
          msg: value,
          trace: value,
          file: value,
          line: value,
          column: value,
        })
      }`);
      hostile.push(`@nix ${
        JSON.stringify({
          action,
          id: value,
          type: value,
          level: value,
          fields: [value, value],
          raw_msg: "error",
          trace: [value, { file: "\u001b[31mx", line: 1, column: 1 }],
        })
      }`);
    }
  }
  // deno-lint-ignore no-control-regex
  const unsafe = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/;
  const all = new NixLog();
  for (const line of hostile) {
    const alone = new NixLog();
    for (const log of [alone, all]) {
      log.line(line);
      const { summary, details } = log.failure();
      for (const shown of [summary, log.progress(), ...details]) {
        assert(!unsafe.test(shown), JSON.stringify(shown));
      }
    }
  }
});

Deno.test("a log without an end does not fill the memory", () => {
  const before = keptMemory();
  const log = new NixLog();
  const long = "x".repeat(20_000);
  const name = `/nix/store/${"a".repeat(32)}-${long}`;
  for (let i = 0; i < 30_000; i++) {
    const start = { action: "start", id: i, type: 105, fields: [name] };
    log.line(`@nix ${JSON.stringify(start)}`);
    if (i % 50 === 0) {
      log.line(long);
      log.line(message({ raw_msg: `${i} ${long}`, msg: long }));
      for (let j = 0; j < 20; j++) {
        const line = {
          action: "result",
          id: i,
          type: 101,
          fields: [long + j],
        };
        log.line(`@nix ${JSON.stringify(line)}`);
      }
    }
  }
  const huge = "x".repeat(3_000_000);
  for (let i = 0; i < 40; i++) {
    log.line(message({ raw_msg: `${i} no ${huge}` }));
    log.line(message({ msg: `error: ${i} no ${huge}\nDid you mean ${i}?` }));
    const line = { fields: [`${huge}\n${i} ends in a short line`] };
    log.line(
      `@nix ${JSON.stringify({ action: "result", id: i, type: 101, ...line })}`,
    );
    log.line(`${i} ${huge}`);
  }
  // All that came in are some 1.4 GB.
  const grown = keptMemory() - before;
  assert(grown < 50e6, `${grown} bytes are kept`);
  const { summary, details } = log.failure();
  assert(summary.length <= 200);
  assert(details.join("\n").length < 20_000);
  log.progress();
});

Deno.test("an id above what a number holds is still told from its neighbour", () => {
  const big = "9007199254740993", next = "9007199254740992";
  const start = (id: string, name: string) =>
    `@nix {"action":"start","id":${id},"type":105,"fields":["/nix/store/${
      "a".repeat(32)
    }-${name}.drv"]}`;
  const log = after([start(big, "one"), start(next, "two")]);
  log.line(`@nix {"action":"stop","id":${next}}`);
  assertEquals(log.progress(), "evaluating · one");
});
