import { assert, assertEquals } from "@std/assert";

const top = new URL("../../", import.meta.url).pathname;

/** The layers: a file imports its own and those before it. */
const layers = [
  "base",
  "config",
  "process",
  "host",
  "state",
  "run",
  "forge",
  "notify",
  "keys",
  "git",
  "nix",
  "trust",
  "vault",
  "secrets",
  "activation",
  "gates",
  "locks",
  "sync",
  "plan",
  "publish",
  "report",
  "fleet",
  "serve",
  "doctor",
  "init",
  "cli",
];

/** The paths of the program's own files, from the top. */
function sources(folder = "lib"): string[] {
  const paths = [...Deno.readDirSync(top + folder)].flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) return sources(path);
    return path.endsWith(".ts") ? [path] : [];
  });
  const entry = "gitops_sync.ts";
  if (folder === "lib" && exists(entry)) paths.push(entry);
  return paths.sort();
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(top + path).isFile;
  } catch {
    return false;
  }
}

const textOf = (path: string) => Deno.readTextFileSync(top + path);

/** The text without its comments. */
const codeOf = (path: string) =>
  textOf(path).replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");

/** What a file imports, in whichever way. */
function importsOf(path: string): string[] {
  const found = codeOf(path).matchAll(
    /\b(?:from|import)\s*\(?\s*["'`]([^"'`\s]+)["'`]/g,
  );
  return [...found].map(([, specifier]) => specifier!);
}

/** The place of a path in the order; the entry comes after all layers. */
function placeOf(path: string): number {
  const folder = /^lib\/([^/]+)\//.exec(path)?.[1];
  return folder === undefined ? layers.length : layers.indexOf(folder);
}

const own = sources().filter((path) => !path.startsWith("lib/std/"));

Deno.test("every file of the program belongs to a layer", () => {
  assert(own.length > 25, `only ${own.length} files were found`);
  for (const path of own) assert(placeOf(path) >= 0, path);
});

Deno.test("imports go one way, from cli down to base", () => {
  let imports = 0;
  for (const path of own) {
    for (const specifier of importsOf(path)) {
      if (!specifier.startsWith(".") || specifier.endsWith(".json")) continue;
      const imported = new URL(specifier, `file:///${path}`).pathname.slice(1);
      assert(!imported.startsWith("lib/std/"), `${path}: write @std/…`);
      assert(
        placeOf(imported) <= placeOf(path),
        `${path} must not import ${imported}`,
      );
      imports++;
    }
  }
  assert(imports > 100, `only ${imports} imports were found`);
});

/** The files that a file names in any way, late imports included. */
function namedBy(path: string): string[] {
  const found = codeOf(path).matchAll(/"(\.\.?\/[^"\s]+\.ts)"/g);
  return [...found].map(([, specifier]) =>
    new URL(specifier!, `file:///${path}`).pathname.slice(1)
  );
}

/** A circle of files that begins and ends with the same one, if there is one. */
function circleIn(graph: ReadonlyMap<string, string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, way: string[]): string[] | undefined => {
    const at = way.indexOf(path);
    if (at !== -1) return [...way.slice(at), path];
    if (done.has(path)) return undefined;
    for (const next of graph.get(path) ?? []) {
      const circle = visit(next, [...way, path]);
      if (circle) return circle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of graph.keys()) {
    const circle = visit(path, []);
    if (circle) return circle;
  }
  return undefined;
}

Deno.test("no files import each other in a circle", () => {
  const graph = new Map(own.map((path) => [path, namedBy(path)]));
  assert([...graph.values()].flat().length > 500);
  assertEquals(circleIn(graph)?.join(" → "), undefined);
});

/** All that some files lead to, late imports included. */
function reachedFrom(paths: string[], not: string): Set<string> {
  const reached = new Set<string>();
  for (const todo = [...paths]; todo.length > 0;) {
    const path = todo.pop()!;
    if (path === not || reached.has(path)) continue;
    reached.add(path);
    todo.push(...namedBy(path));
  }
  return reached;
}

Deno.test("a run loads nothing of the server", () => {
  const run = [
    "lib/cli/main.ts",
    "lib/cli/worker.ts",
    "lib/cli/command/sync.ts",
  ];
  // All else that it leads to is another command.
  const reached = reachedFrom(run, "lib/cli/loaders.ts");
  assert(reached.size > 100, `only ${reached.size} files`);
  const ofServer = [...reached].filter((path) => path.startsWith("lib/serve/"));
  assertEquals(ofServer, []);
});

Deno.test("a circle of imports is found", () => {
  const graph = new Map([["a", ["b", "c"]], ["b", ["d"]], ["c", ["a"]]]);
  assertEquals(circleIn(graph), ["a", "c", "a"]);
});

Deno.test("foreign code comes through the import map alone", () => {
  const { imports } = JSON.parse(textOf("deno.json"));
  for (const path of own) {
    for (const specifier of importsOf(path)) {
      // The room on a disk is told by nothing else of the runtime.
      const isRuntime = path === "lib/host/disk.ts" && specifier === "node:fs";
      if (specifier.startsWith(".") || isRuntime) continue;
      assert(Object.hasOwn(imports, specifier), `${path}: ${specifier}`);
      assert(specifier !== "@std/assert", `${path}: only tests assert`);
    }
  }
});

Deno.test("what it takes to start a program, and to exit, is in one place each", () => {
  const table: [RegExp, string][] = [
    [/\bDeno\s*\.\s*Command\b/, "lib/process/command.ts"],
    [/\bDeno\s*\.\s*exit\b/, "gitops_sync.ts"],
  ];
  for (const [pattern, place] of table) {
    const users = own.filter((path) => pattern.test(codeOf(path)));
    const expected = exists(place) ? [place] : [];
    assertEquals(users, expected, String(pattern));
  }
});

Deno.test("no file calls code that is made at run time", () => {
  for (const path of own) {
    assert(!/\beval\s*\(|new Function\s*\(/.test(codeOf(path)), path);
  }
});
