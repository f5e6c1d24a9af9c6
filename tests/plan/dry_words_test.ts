import { assert, assertEquals } from "@std/assert";
import { readDryWords } from "../../lib/plan/dry_words.ts";

Deno.test("the words of a dry activation are read, and no line is lost", () => {
  const words = readDryWords([
    "Not checking switch inhibitors (action = dry-activate)",
    "would stop swap device: /dev/disk/by-label/swap",
    "would stop the following units: a.service, a.socket",
    "would NOT stop the following changed units: display-manager.service",
    "would activate the configuration...",
    "would restart x.service",
    "would add secrets: db/password, web-key",
    "would modify secret: token",
    "would remove rendered secret: old.env",
    "would restart systemd",
    "would reload the following units: dbus.service",
    "would restart the following units: polkit.service, systemd-journald.service",
    "would start the following units: a.socket",
    "would paint the following units: red.service",
    "WARN: something that nobody has seen yet",
  ]);
  assertEquals(words, {
    isWhole: true,
    stop: ["a.service", "a.socket"],
    start: ["a.socket"],
    restart: ["polkit.service", "systemd-journald.service", "x.service"],
    reload: ["dbus.service"],
    keep: ["display-manager.service"],
    swapOff: ["/dev/disk/by-label/swap"],
    reexec: true,
    secrets: {
      add: ["db/password", "web-key"],
      modify: ["token"],
      remove: ["old.env"],
    },
    other: [
      "would paint the following units: red.service",
      "WARN: something that nobody has seen yet",
    ],
  });
});

Deno.test("a dry activation that was cut off has said nothing", () => {
  assert(!readDryWords([]).isWhole);
  assert(!readDryWords(["would stop the following units: a.service"]).isWhole);
});

Deno.test("what earlier switches wrote of units that stay is known, too", () => {
  const { keep, other } = readDryWords([
    "would NOT restart the following changed units: a.service, b.service",
    "would NOT restart the following changed user units: c.service",
  ]);
  assertEquals(keep, ["a.service", "b.service", "c.service"]);
  assertEquals(other, []);
});
