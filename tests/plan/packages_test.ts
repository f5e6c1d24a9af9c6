import { assertEquals } from "@std/assert";
import { changesBetween, partsOf } from "../../lib/plan/packages.ts";

const path = (name: string, letter = "a") =>
  `/nix/store/${letter.repeat(32)}-${name}`;

Deno.test("a store path is a name and a version", () => {
  const table: [path: string, name: string, version: string][] = [
    ["firefox-118.0.2", "firefox", "118.0.2"],
    ["openssl-3.0.14-bin", "openssl", "3.0.14"],
    ["gtk+3-3.24.43-dev", "gtk+3", "3.24.43"],
    ["python3.12-requests-2.32.3", "python3.12-requests", "2.32.3"],
    ["nix-2.26.3-man", "nix", "2.26.3"],
    ["unit-web.service", "unit-web.service", ""],
    ["etc", "etc", ""],
    ["linux-6.12.1-modules", "linux", "6.12.1"],
    ["perl-5.40.0-env", "perl", "5.40.0-env"],
    ["git-2024-01-01", "git", "2024-01-01"],
  ];
  for (const [whole, name, version] of table) {
    assertEquals(partsOf(path(whole)), { name, version }, whole);
  }
});

Deno.test("packages change, come, go, or are built anew", () => {
  const olds = [
    path("firefox-1.0"),
    path("firefox-1.0-lib"),
    path("mc-4.8"),
    path("bash-5.2"),
    path("zlib-1.3"),
    path("etc"),
  ];
  const news = [
    path("firefox-1.1", "b"),
    path("jq-1.7", "b"),
    path("bash-5.2"),
    path("zlib-1.3", "b"),
    path("etc", "b"),
  ];
  const size: [string, number][] = [...olds, ...news].map((one, i) => [one, i]);
  assertEquals(changesBetween(olds, news, new Map(size)), {
    changed: [
      { name: "firefox", before: ["1.0"], after: ["1.1"], bytes: 5 },
      { name: "jq", before: [], after: ["1.7"], bytes: 7 },
      { name: "mc", before: ["4.8"], after: [], bytes: -2 },
    ],
    rebuilt: 2,
  });
});

Deno.test("what has no version is worth a line where its size differs much", () => {
  const old = path("system-path"), now = path("system-path", "b");
  const sizes = new Map([[old, 10], [now, 10 + 64 * 1024]]);
  assertEquals(changesBetween([old], [now], sizes), {
    changed: [
      { name: "system-path", before: [], after: [], bytes: 65536 },
    ],
    rebuilt: 0,
  });
});
