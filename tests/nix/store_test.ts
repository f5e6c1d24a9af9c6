import { assert, assertEquals } from "@std/assert";
import { addRoot, setProfile } from "../../lib/nix/store.ts";
import { isStorePath } from "../../lib/base/names.ts";

const hash = "0123456789abcdfghijklmnpqrsvwxyz";

Deno.test("a store path is one itself, and not one inside or beside", () => {
  for (
    const path of [
      `/nix/store/${hash}-nixos-system-web-25.11`,
      `/nix/store/${hash}-a+b_c.d?e=f`,
    ]
  ) assert(isStorePath(path), path);
  for (
    const path of [
      "",
      "/",
      "/nix/store",
      `/nix/store/${hash}`,
      `/nix/store/${hash}-`,
      `/nix/store/${hash}-a/bin`,
      `/nix/store/${hash}-a/../../etc`,
      `/nix/store/${hash}-a\n`,
      `/nix/store/${hash}-a b`,
      `/nix/store/${hash.slice(1)}-a`,
      `/nix/store/${hash.toUpperCase()}-a`,
      `/tmp/nix/store/${hash}-a`,
      `nix/store/${hash}-a`,
      `/nix/store/../store/${hash}-a`,
    ]
  ) assert(!isStorePath(path), path);
});

Deno.test("a profile is set and a root is added by argument lists", () => {
  const system = `/nix/store/${hash}-s`;
  const line = (command: { program: string; args: readonly string[] }) => [
    command.program,
    ...command.args,
  ];
  assertEquals(line(setProfile("/profile", system)), [
    "nix-env",
    "--profile",
    "/profile",
    "--set",
    system,
  ]);
  assertEquals(line(addRoot("/root link", system)), [
    "nix-store",
    "--realise",
    system,
    "--add-root",
    "/root link",
  ]);
});
