import { assert, assertEquals } from "@std/assert";
import { output } from "../world/program.ts";

const top = new URL("../../", import.meta.url);

/** The Nix files of the flake: what is evaluated with the real nixpkgs, too. */
const files = ["flake.nix", "module.nix", "vault.nix"].concat(
  [...Deno.readDirSync(new URL("nix", top))].map(({ name }) => `nix/${name}`)
    .filter((name) => name.endsWith(".nix")),
);

/** What a file takes of `lib`, such as `types.str`. */
function takenBy(file: string): string[] {
  const text = Deno.readTextFileSync(new URL(file, top))
    .replace(/^\s*#.*$/gm, "");
  const called = text.matchAll(/(?<![\w.])lib\.([\w']+(?:\.[\w']+)*)/g);
  const inherited = text.matchAll(/inherit \(lib\)\s([^;]*);/g);
  const types = text.matchAll(/(?<![\w.])(types\.[\w']+(?:\.[\w']+)*)/g);
  return [
    ...[...called, ...types].map(([, name]) => name!),
    ...[...inherited].flatMap(([, names]) => names!.trim().split(/\s+/)),
  ];
}

Deno.test("the stand-in for nixpkgs has all of lib that is used", async () => {
  const names = [...new Set(files.flatMap(takenBy))].sort()
    // It is in the lib of the flake alone, where the flake takes it from.
    .filter((name) => name !== "nixosSystem");
  assert(names.length > 40, `only found ${names}`);
  const expression = `let lib = import ./lib; in builtins.filter (name:
    lib.attrByPath (lib.splitString "." name) null lib == null
  ) ${JSON.stringify(names).replaceAll(",", " ")}`;
  const lacking: string[] = JSON.parse(
    await output([
      ...["nix-instantiate", "--store", "dummy://"],
      ...["--eval", "--strict", "--json", "--expr", expression],
    ], { cwd: new URL("nixpkgs", import.meta.url).pathname }),
  );
  assertEquals(
    lacking,
    [],
    `tests/nix/nixpkgs/lib lacks ${
      lacking.map((name) => `lib.${name}`).join(", ")
    }; see what nixpkgs documents of them`,
  );
});
