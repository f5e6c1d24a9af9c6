import { assertEquals, assertRejects } from "@std/assert";
import type { Effects } from "../../lib/base/effects.ts";
import { SyncError } from "../../lib/base/errors.ts";
import {
  type Check,
  exitOf,
  type Finding,
  ok,
  problem,
  type Result,
  runChecks,
  unknown,
  warning,
} from "../../lib/doctor/check.ts";
import { checks } from "../../lib/doctor/checks.ts";

const effects: Effects = {
  run: () => Promise.reject(new Error("no program is run here")),
  now: () => new Date(),
  monotonic: () => performance.now(),
  sleep: () => Promise.resolve(),
  tell: () => {},
};

const check = (
  name: string,
  look: Check["look"],
  more: Partial<Check> = {},
): Check => ({ name, exit: 6, look, ...more });

async function results(...some: Check[]): Promise<Result[]> {
  return await runChecks(some, { effects, known: {} }, {
    told: () => {},
  });
}

const broken = (reason: string) =>
  new SyncError("Cannot do it", {
    stage: "build",
    reason,
    next: "retry",
    hints: ["fix it"],
  });

Deno.test("every check needs only checks that come before it", () => {
  const names = checks.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  checks.forEach(({ needs = [] }, i) => {
    assertEquals(needs.filter((one) => !names.slice(0, i).includes(one)), []);
  });
});

Deno.test("one check that fails does not stop the others", async () => {
  const found = await results(
    check("a", () => Promise.reject(broken("x"))),
    check("b", () => ok("well")),
    check("c", () => ok("well"), { needs: ["a"] }),
    check("d", () => ok("well"), { needs: ["c"] }),
  );
  assertEquals(found.map(({ state }) => state), [
    "problem",
    "ok",
    "unknown",
    "unknown",
  ]);
  assertEquals(found[0]!.hints, ["fix it"]);
  assertEquals(found[3]!.text, "not checked, because c is not ok");
});

Deno.test("a check that does not end by itself is ended", async () => {
  const [late, next] = await results(
    check("a", () => new Promise<Finding>(() => {}), { patience: -4990 }),
    check("b", () => ok("well")),
  );
  assertEquals(late!.state, "unknown");
  assertEquals(next!.state, "ok");
});

Deno.test("a program has no more time than its check", async () => {
  const asked: number[] = [];
  const look: Check["look"] = async ({ effects }) => {
    await effects.run({ program: "git", args: [], timeout: 3_600_000 });
    return ok("well");
  };
  const run: Effects["run"] = ({ timeout }) => {
    asked.push(timeout);
    return Promise.resolve({
      code: 0,
      timedOut: false,
      stdout: new Uint8Array(),
      stderr: "",
    });
  };
  await runChecks(
    [check("a", look, { patience: 1000 })],
    { effects: { ...effects, run }, known: {} },
    { told: () => {} },
  );
  assertEquals(asked.length, 1);
  assertEquals(asked[0]! <= 1000, true);
});

Deno.test("what a run would warn of is no good news", async () => {
  const [found] = await results(check("a", ({ effects }) => {
    effects.tell({ kind: "message", level: "warning", text: "it is odd" });
    return ok("well");
  }));
  assertEquals([found!.state, found!.details], ["warning", ["it is odd"]]);
});

Deno.test("a person who ends it ends all of it, and a bug is no finding", async () => {
  for (const error of [broken("interrupted"), new TypeError("a bug")]) {
    await assertRejects(() => results(check("a", () => Promise.reject(error))));
  }
});

Deno.test("the exit code is that of the first problem, or of what nobody looked at", () => {
  const table: [Finding[], number][] = [
    [[], 0],
    [[ok("a"), warning("b")], 0],
    [[unknown("a"), warning("b")], 10],
    [[unknown("a"), problem("b"), problem("c")], 11],
  ];
  for (const [findings, exit] of table) {
    const some = findings.map((one, i) => ({
      ...one,
      name: String(i),
      exit: 10 + i as 10,
    }));
    assertEquals(exitOf(some), exit as 0);
  }
});
