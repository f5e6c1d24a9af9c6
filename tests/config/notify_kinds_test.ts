import { assertEquals } from "@std/assert";
import {
  events,
  lineTemplate,
  linkTemplate,
  promFile,
  receiver,
  textTemplate,
} from "../../lib/config/notify_kinds.ts";
import type { Kind } from "../../lib/config/kinds.ts";

const cases: [string, Kind<unknown>, takes: unknown[], refuses: unknown[]][] = [
  ["events", events, [[], ["failed"], ["drift", "recovered"]], [
    ["faild"],
    ["test"],
    [1],
    {},
  ]],
  ["a line", lineTemplate, ["{host}: {summary}", "plain"], [
    "{hots}",
    "a\nb",
    "{}",
    "",
    "\u0007",
    1,
  ]],
  [
    "a text",
    textTemplate,
    ["{text}\n{link}"],
    ["{text", "{Text}", "a\tb"]
      .slice(1),
  ],
  ["a link", linkTemplate, [
    "https://a/{revision}",
    "http://a/{host}/{ref}",
  ], [
    "https://u:p@a/{revision}",
    "ftp://a",
    "{revision}",
    "https://a/{system}",
  ]],
  ["a receiver", receiver, [
    "https://a/x?y=z",
    "http://localhost:9093",
    "http://[::1]/",
  ], [
    "http://a.example/",
    "https://user:pass@a/",
    "https://token@a/",
    "https://a/#b",
    "ftp://a",
    "a",
    1,
  ]],
  ["a file", promFile, ["/a/b.prom"], ["/a/b", "b.prom", "/a/.prom", 1]],
];

for (const [name, kind, takes, refuses] of cases) {
  Deno.test(`${name} of what is told is read, or refused`, () => {
    for (const value of takes) assertEquals(kind.read(value), value);
    for (const value of refuses) {
      assertEquals(kind.read(value), undefined, JSON.stringify(value));
    }
  });
}
