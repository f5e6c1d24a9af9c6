import { assertEquals, assertMatch } from "@std/assert";
import {
  filledQuery,
  rangeOf,
  samplesIn,
  trueAt,
  trueFor,
} from "../../lib/gates/promql.ts";

Deno.test("what is put into a query stays a text", () => {
  const revision = "a".repeat(40);
  const query = 'up{host="{host}", r=~"{revision}"} and x{y="{other}"}';
  assertEquals(
    filledQuery(query, { revision, host: "web-1.example" }),
    `up{host="web-1.example", r=~"${revision}"} and x{y="{other}"}`,
  );
  const filled = filledQuery('up{host="{host}"}', {
    revision,
    host: 'x"} or vector(1) or up{h="\\\n`',
  });
  assertEquals(
    filled,
    'up{host="x\\x22} or vector(1) or up{h=\\x22\\x5c\\x0a\\x60"}',
  );
});

const answer = (resultType: string, result: unknown, more = {}) => ({
  status: "success",
  data: { resultType, result },
  ...more,
});

Deno.test("true is a value that is a number other than 0, and nothing else", () => {
  const vector = (...values: string[]) =>
    answer(
      "vector",
      values.map((value) => ({ metric: {}, value: [9, value] })),
    );
  const table: [unknown, true | RegExp][] = [
    [vector("1"), true],
    [vector("3", "0.5", "-1"), true],
    [answer("scalar", [9, "1"]), true],
    [vector(), /returned no value/],
    [vector("1", "0"), /returned 0/],
    [vector("-0"), /returned 0/],
    [vector("NaN"), /returned NaN/],
    [vector("+Inf"), /returned NaN/],
    [vector(""), /returned NaN/],
    [answer("scalar", [9, "0"]), /returned 0/],
    [answer("string", [9, "yes"]), /documented format/],
    [answer("vector", [{ value: [9, 1] }]), /documented format/],
    [answer("vector", [{ value: "1" }]), /documented format/],
    [answer("vector", "1"), /documented format/],
    [{ status: "success" }, /documented format/],
    [{ ...vector("1"), status: "error", error: "no\nway" }, /rejected.*no way/],
    [{ ...vector("1"), status: undefined }, /documented format/],
    [
      { ...vector("1"), warnings: ["a store is down"] },
      /a warning: a store is/,
    ],
    [{ ...vector("1"), warnings: [{ toString: 1 }] }, /a warning: something/],
    [[], /documented format/],
    ["yes", /documented format/],
  ];
  for (const [json, expected] of table) {
    const found = samplesIn(json);
    const is = found.why === undefined ? trueAt(found.series) : found;
    if (expected === true) assertEquals(is, { at: 9 }, JSON.stringify(json));
    else assertMatch(is.why ?? "true", expected, JSON.stringify(json));
  }
});

Deno.test("a range holds as long as each step is true, up to its end", () => {
  const range = rangeOf(1000, 60_000);
  assertEquals(range, { start: 940, end: 1000, step: 15 });
  const series = (...values: (number | undefined)[]) => ({
    values: values.flatMap((value, i): [number, number][] =>
      value === undefined ? [] : [[940 + 15 * i, value]]
    ),
  });
  const table: [ReturnType<typeof series>[], lasted: number, isAll: boolean][] =
    [
      [[series(1, 1, 1, 1, 1)], 60, true],
      // What began one series goes on in another.
      [[series(1, 1, 1), series(undefined, undefined, 2, 2, 2)], 60, true],
      [[series(undefined, 1, 1, 1, 1)], 45, false],
      [[series(0, 1, 1, 1, 1)], 45, false],
      [[series(1, 1, undefined, 1, 1)], 15, false],
      [[series(1, 1, 1, 1, 1), series(1, 1, 1, NaN, 1)], 0, false],
      [[series(1, 1, 1, 1, 0)], 0, false],
      [[series(1, 1, 1, 1)], 0, false],
      [[], 0, false],
      [[{ values: [[100, 1], [1100, 1]] }], 0, false],
    ];
  for (const [all, lasted, isAll] of table) {
    assertEquals(trueFor(all, range), { lasted, isAll }, JSON.stringify(all));
  }
});

Deno.test("the steps are as many as Prometheus takes", () => {
  for (const minutes of [0.1, 1, 45, 120, 24 * 60, 24 * 24 * 60]) {
    const { start, end, step } = rangeOf(1e9, minutes * 60_000);
    const steps = (end - start) / step;
    assertEquals(Math.abs(steps - Math.round(steps)) < 1e-6, true);
    assertEquals(steps >= 1 && steps <= 2000, true, `${steps}`);
  }
});
