import { assertEquals } from "@std/assert";
import { isRebuild } from "../../lib/sync/preflight.ts";

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
