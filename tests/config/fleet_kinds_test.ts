import { assertEquals } from "@std/assert";
import { fullRef, ring, server } from "../../lib/config/fleet_kinds.ts";
import type { Kind } from "../../lib/config/kinds.ts";

const cases: [string, Kind<unknown>, takes: unknown[], refuses: unknown[]][] = [
  ["a full ref", fullRef, [
    "refs/heads/gitops-sync/approvals",
    "refs/tags/v1.2",
    "refs/x",
  ], [
    "main",
    "refs/",
    "refs/heads/",
    "refs/heads/*",
    "refs/heads/a b",
    "refs/heads/../x",
    "refs/heads/x.lock",
    "refs/heads/.x",
    "refs/heads/-x",
    "refs/heads/x\n",
    1,
  ]],
  ["a ring", ring, ["canary", "1", "a-b.c"], ["", "a b", "-x", "x\n", [], {}]],
  ["a server", server, [
    "https://prometheus.example.org",
    "http://10.0.0.1:9090/prometheus",
  ], [
    "prometheus.example.org",
    "ftp://example.org",
    "https://ada@example.org",
    "https://ada:pw@example.org",
    "https://example.org/?x=1",
    "https://example.org/#x",
    "https://example.org/a b",
    7,
  ]],
];

for (const [name, kind, takes, refuses] of cases) {
  Deno.test(`${name} is read`, () => {
    for (const value of takes) assertEquals(kind.read(value), value);
    for (const value of refuses) {
      assertEquals(kind.read(value), undefined, String(value));
    }
  });
}

Deno.test("a ring may be a number", () => assertEquals(ring.read(1), "1"));
