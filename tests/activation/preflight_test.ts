import { assertEquals, assertThrows } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { isRebuild } from "../../lib/activation/preflight.ts";
import { refuseToFetch } from "../../lib/nix/room.ts";

Deno.test("a nixos-rebuild that changes the host is known by its words", () => {
  const table: [string, boolean][] = [
    ["nixos-rebuild switch --flake .", true],
    ["/run/current-system/sw/bin/nixos-rebuild boot", true],
    ["bash /run/current-system/sw/bin/nixos-rebuild test", true],
    ["python3 -I /nix/store/x/bin/nixos-rebuild-ng switch", true],
    ["nixos-rebuild build --flake .", false],
    ["vim nixos-rebuild", false],
    ["grep -r switch nixos-rebuild.md", false],
    ["", false],
  ];
  for (const [line, expected] of table) {
    assertEquals(isRebuild(line.split(" ")), expected, line);
  }
});

Deno.test("what is to be fetched must fit, with what has to stay free", () => {
  const gibi = 2 ** 30;
  const room = { bytes: 10 * gibi, files: Infinity };
  refuseToFetch(8 * gibi, 2 * gibi, room);
  refuseToFetch(0, 2 * gibi, room);
  const error = assertThrows(
    () => refuseToFetch(9 * gibi, 2 * gibi, room),
    SyncError,
  ) as SyncError;
  assertEquals(
    error.message,
    "Cannot build: there are 9.0G to fetch, and 2.0G must stay free (preflight.freeSpace), but /nix has only 10G free",
  );
  assertEquals([error.reason, error.exit, error.next], [
    "disk-low",
    6,
    "retry",
  ]);
});
