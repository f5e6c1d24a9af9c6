import { assert, assertEquals } from "@std/assert";
import { mayRun, permissions } from "./package.ts";

const top = new URL("../../", import.meta.url);

/** The files of the program, by their path from the top. */
function* sources(folder = "lib"): Generator<[string, string]> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, top))) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sources(path);
    else yield [path, Deno.readTextFileSync(new URL(path, top))];
  }
}

const codeOf = (text: string) =>
  text.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");

/** All of it without its comments, and calls of a `fetch` that is its own. */
const code = [...sources()].map(([, text]) =>
  /function fetch\(/.test(text)
    ? codeOf(text).replace(/\bfetch\(/g, "")
    : codeOf(text)
).join("\n");

Deno.test("the package may run what the program runs, and nothing else", () => {
  const runs = [
    ...code.matchAll(/\bprogram: "([\w-]+)"/g),
    ...code.matchAll(
      /(?<!function )\b(?:runNow|publicOf|must)\([^"()]*"([\w-]+)"/g,
    ),
  ].map(([, name]) => name!);
  assert(runs.length > 10, `only found ${runs}`);
  assertEquals(
    mayRun,
    [...new Set(runs)].sort(),
    "mend nix/programs.json",
  );
});

/** What the code calls, and the flag that Deno wants for it. */
const needs: readonly [RegExp, string][] = [
  [
    /(?<![.\w])fetch\(|\bDeno\.(connect|connectTls|listen|serve)\b/,
    "--allow-net",
  ],
  [/\bDeno\.(hostname|uid|umask)\b|\bstatfsSync\b/, "--allow-sys"],
  [
    /\bDeno\.(loadavg|osUptime|osRelease|systemMemoryInfo|networkInterfaces)\b/,
    "--allow-sys of another kind",
  ],
  [/\bDeno\.dlopen\b/, "--allow-ffi"],
];

for (const [pattern, flag] of needs) {
  Deno.test(`the package gives ${flag} if, and only if, it is needed`, () => {
    assertEquals(
      permissions.includes(flag),
      pattern.test(code),
      `mend permissions in nix/build.sh: ${pattern.exec(code)?.[0]}`,
    );
  });
}

Deno.test("what Deno keeps from programs is read by lib/process/kernel.ts alone", () => {
  for (const [path, text] of sources()) {
    // These two know that they may be refused.
    if (/^lib\/(process\/kernel|cli\/output\/effects)\.ts$/.test(path)) {
      continue;
    }
    const found = codeOf(text).match(
      /\bDeno\.\w+\(\s*["`]\/(proc|sys)\b[^)]*/,
    );
    assertEquals(found?.[0], undefined, path);
  }
});
