import { assert, assertEquals } from "@std/assert";
import {
  buildCommand,
  type BuildRequest,
  flakeReference,
} from "../../lib/nix/nixos_rebuild.ts";

const revision = "a".repeat(40);

const request = (changes: Partial<BuildRequest> = {}): BuildRequest => ({
  mirror: "/var/lib/gitops-sync/repo",
  revision,
  directory: "",
  host: "web-1",
  submodules: false,
  shallow: false,
  refresh: false,
  nix: [],
  options: [],
  folder: "/var/lib/gitops-sync/build",
  timeout: 1000,
  env: { A: "b" },
  onLine: () => {},
  ...changes,
});

Deno.test("a flake reference names exactly one revision", () => {
  const base = "git+file:///var/lib/gitops-sync/repo";
  const table: [Partial<BuildRequest>, string][] = [
    [{}, `${base}?rev=${revision}`],
    [{ shallow: true }, `${base}?rev=${revision}&shallow=1`],
    [{ submodules: true }, `${base}?rev=${revision}&submodules=1`],
    [
      { directory: "hosts/web", submodules: true, shallow: true },
      `${base}?rev=${revision}&dir=hosts%2Fweb&submodules=1&shallow=1`,
    ],
    [
      { directory: "a b+c=d" },
      `${base}?rev=${revision}&dir=a%20b%2Bc%3Dd`,
    ],
    [
      { mirror: "/a b/#1?x%20" },
      `git+file:///a%20b/%231%3Fx%2520?rev=${revision}`,
    ],
  ];
  for (const [changes, reference] of table) {
    assertEquals(flakeReference(request(changes)), reference);
  }
});

Deno.test("a build evaluates with the lock file as it stands", () => {
  const command = buildCommand(request());
  assertEquals([command.program, ...command.args], [
    "nixos-rebuild",
    "build",
    "--flake",
    `git+file:///var/lib/gitops-sync/repo?rev=${revision}#web-1`,
    "--log-format",
    "internal-json",
    "--no-update-lock-file",
    "--show-trace",
  ]);
  // What Nix keeps of a download that failed is not asked again otherwise.
  const { args } = buildCommand(request({ refresh: true }));
  assertEquals(args.slice(-1), ["--refresh"]);
  assertEquals(command.cwd, "/var/lib/gitops-sync/build");
  assertEquals(command.env, { A: "b" });
  assertEquals(command.timeout, 1000);
  assertEquals(command.capture, false);
  assert(command.shielded !== true);
});

Deno.test("more arguments come last, each as it stands", () => {
  const options = ["--max-jobs", "1", "--option", "a", "b c; $(id)"];
  const { args } = buildCommand(request({ options }));
  assertEquals(args.slice(-5), options);
});
