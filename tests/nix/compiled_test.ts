/**
 * The package as one binary, with the real runtime: what of the machine it
 * opens, and that nobody else decides what it runs.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { basename } from "@std/path";
import { commands } from "../../lib/cli/commands.ts";
import type { Ended } from "../world/program.ts";
import { World } from "../world/world.ts";
import { denortFolder, Flake } from "./flake.ts";
import { mayRun } from "./package.ts";

const refusal = await World.refusal() ??
  (denortFolder ? null : "there is no denort");
if (refusal) console.log(`nothing is compiled here: ${refusal}`);

let world: World, flake: Flake, built: string;

// One world for all of them: each would build the package anew.
Deno.test.beforeAll(async () => {
  if (refusal) return;
  world = await World.make();
  const folder = `${world.folder}/flake`;
  flake = await Flake.copy(world, folder, folder, { denort: true });
  built = await flake.build("gitops-sync");
});

Deno.test.afterAll(async () => await world?.[Symbol.asyncDispose]());

function test(name: string, fn: () => Promise<void>) {
  Deno.test({ name, ignore: refusal !== null, fn });
}

const top = new URL("../../", import.meta.url);

test("where nixpkgs has denort, one binary holds the whole program", async () => {
  const file = await Deno.readFile(world.path(`${built}/libexec/gitops-sync`));
  // What is put behind the runtime, which is much more.
  const program = new TextDecoder("latin1").decode(file.subarray(-8_000_000));
  let files = 0;
  for (const path of await sources()) {
    const text = await Deno.readTextFile(new URL(path, top));
    // What only has types is gone once it is compiled; assertions are for tests.
    const hasCode = /^(export )?(async )?(const|function|class) /m.test(text);
    if (!hasCode || path === "lib/std/assert.ts") continue;
    // Its first line of comment says what it is, and nothing else has it.
    const line = /^ \* (.*)$/m.exec(text)![1]!;
    assert(program.includes(latin1(line)), `${path} is not in the binary`);
    files++;
  }
  assert(files > 50, `only looked for ${files}`);
  const permissions = /"permissions":\{[^]*?\}/.exec(program)![0];
  const allowed: string[] = JSON.parse(
    /"allow_run":(\[[^\]]*\])/.exec(permissions)![1]!,
  );
  assertEquals(allowed.map((path) => basename(path)), mayRun);
  // What comes with it goes by its path, and by no other.
  assert(allowed.filter((path) => path.startsWith("/nix/store/")).length > 10);
  assertStringIncludes(program, "worker-options");
  assertStringIncludes(permissions, '"allow_ffi":null');
  assertStringIncludes(permissions, '"prompt":false');
});

/** The program's own files, by their path from the top. */
async function sources(folder = "lib"): Promise<string[]> {
  const found: string[] = [];
  for await (
    const { name, isDirectory } of Deno.readDir(new URL(folder, top))
  ) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await sources(path));
    else found.push(path);
  }
  return found;
}

const latin1 = (text: string) =>
  new TextDecoder("latin1").decode(new TextEncoder().encode(text));

test("the same sources make the same binary at any time", async () => {
  // Builds it once more, and compares.
  await world.output(
    ["nix", "build", ...flake.at("gitops-sync"), "--rebuild", "--no-link"],
  );
});

/** What another user puts into /tmp, as a shell script; it is run there. */
const plants: Readonly<Record<string, string>> = {
  "a package in place of ours": `
    echo '{"dependencies":{"x":"npm:deno-std@1.4.0"}}' >package.json
    for name in x deno-std; do
      mkdir -p node_modules/$name/cli
      echo '{"name":"deno-std","version":"1.4.0","type":"module"}' \
        >node_modules/$name/package.json
      echo 'Deno.writeTextFileSync("/run/owned", ""); export const parseArgs = () => ({_:[]});' \
        >node_modules/$name/cli/parse_args.js
    done`,
  "a package of another kind": `echo '{"type":"commonjs"}' >package.json`,
  "garbage":
    "for name in package.json deno.json deno.jsonc deno.lock; do echo 'garbage{' >$name; done",
  "pipes": `
    for name in package.json deno.json node_modules gitops-sync.cache \
      deno-compile-gitops-sync deno-compile-gitops-sync.cache; do
      mkfifo $name
    done`,
  "a file in place of the code cache":
    "for name in gitops-sync deno-compile-gitops-sync; do echo planted >$name.cache; done",
  "files under the names of ours": `
    mkdir -p deno-compile-gitops-sync/lib/cli
    for name in gitops_sync.ts lib/cli/main.ts; do
      echo 'Deno.writeTextFileSync("/run/owned", "")' >deno-compile-gitops-sync/$name
    done`,
};

/**
 * Runs the binary as root where /tmp holds what nobody has put there. The /tmp
 * is one of its own, since the real one is everybody's.
 */
function withPlanted(script: string, ...args: string[]): Promise<Ended> {
  return world.run([
    "sh",
    "-euc",
    `mount -t tmpfs -o mode=1777 tmpfs /tmp
    cd /tmp
    setpriv --reuid=65534 --clear-groups sh -euc "$1"
    before=$(find . -type f -exec cat {} +)
    cd /
    shift
    "$@" && code=0 || code=$?
    cd /tmp
    [ "$before" = "$(find . -type f -exec cat {} +)" ] || echo /tmp is another now
    [ ! -e /run/owned ] || echo owned
    exit $code`,
    "sh",
    script,
    `${built}/bin/gitops-sync`,
    ...args,
  ], { env: { HOME: "/root" }, cwd: "/", timeout: 60_000 });
}

test("nothing that somebody puts into /tmp is read or run", async () => {
  world.write(
    "/etc/gitops-sync/config.yaml",
    "repository: file:///nowhere\nstateDirectory: /run/state\n",
  );
  const calls = [["--version"], ["status"], ["config", "check"]];
  const clean: Ended[] = [];
  for (const call of calls) clean.push(await withPlanted("true", ...call));
  assertEquals(clean.map(({ code }) => code), [0, 0, 0], clean[1]!.stderr);
  assert(!clean.some(({ stdout }) => stdout.includes("another")), "it wrote");
  for (const [what, script] of Object.entries(plants)) {
    for (const [i, call] of calls.entries()) {
      // Twice: what the first has kept, the second would take.
      for (const _ of [1, 2]) {
        const ended = await withPlanted(script, ...call);
        assertEquals(ended, clean[i], `${what}, ${call.join(" ")}`);
      }
    }
  }
});

/** What each command is called with, beside its name. */
const words: Readonly<Record<string, readonly string[]>> = {
  completions: ["bash"],
  "secrets add-host": ["web", "age1x", "secret.yaml"],
  "secrets edit": ["secret.yaml"],
  "secrets encrypt": ["plain.yaml"],
  "secrets check": ["secret.yaml"],
  "secrets recipients": ["secret.yaml"],
  "secrets rotate": ["secret.yaml"],
  "secrets updatekeys": ["secret.yaml"],
  "secrets keygen": ["new.key"],
  suspend: ["a reason"],
};

/** A checkout with a secret, inside; HOME of the person who works there. */
async function checkout(): Promise<string> {
  const folder = `${world.folder}/checkout`;
  await world.output([
    "sh",
    "-euc",
    `mkdir "$1" && cd "$1" && git init --quiet
    age-keygen -o key 2>/dev/null
    recipient=$(age-keygen -y key)
    printf 'creation_rules:\\n  - age: %s\\n' "$recipient" >.sops.yaml
    printf 'password: sesame\\n' >plain.yaml
    cp plain.yaml secret.yaml
    sops encrypt --in-place secret.yaml`,
    "sh",
    folder,
  ]);
  return folder;
}

/** Lines of strace that are the program's own, not those of what it started. */
function ownLines(trace: string): string[] {
  const lines = trace.split("\n");
  const started = lines.filter((line) => /^\d+ +execve\(.* = 0$/.test(line))
    .map((line) => line.split(" ")[0]!);
  // The first one is the program itself.
  const others = new Set(started.slice(1));
  others.delete(started[0]!);
  return lines.filter((line) => !others.has(line.split(" ")[0]!));
}

test("no command opens anything in the folder for temporary files", async () => {
  const folder = await checkout();
  const temporary = `${world.folder}/temporary`;
  await Deno.mkdir(temporary, { mode: 0o777 });
  world.write(
    "/etc/gitops-sync/config.yaml",
    "repository: file:///nowhere\nstateDirectory: /run/state\n" +
      "vault: {address: 'http://127.0.0.1:9', socket: /run/agent/s}\n",
  );
  const seen: string[] = [];
  for (const { name } of commands) {
    const trace = `${world.folder}/trace`;
    const ended = await world.run([
      ...["timeout", "20", "strace", "-f", "-qq", "-s", "4096", "-o", trace],
      ...["-e", "trace=%file", `${built}/libexec/gitops-sync`],
      ...[...name.split(" "), ...words[name] ?? []],
    ], {
      cwd: folder,
      env: {
        TMPDIR: temporary,
        SOPS_AGE_KEY_FILE: `${folder}/key`,
        EDITOR: "true",
      },
    });
    assert(!ended.stderr.includes("at file:"), `${name}: ${ended.stderr}`);
    const own = ownLines(await Deno.readTextFile(trace));
    assert(own.length > 20, `${name} was not watched: ${ended.stderr}`);
    // The folder's own name is what the runtime calls the program's files by.
    seen.push(
      ...own.filter((line) => line.includes(temporary) && !/execve/.test(line))
        .map((line) => `${name}: ${line}`),
    );
  }
  assertEquals(seen, []);
});

const strange: Readonly<
  Record<
    string,
    { before?: string; env?: string; args?: string[]; says?: RegExp }
  >
> = {
  "an empty TMPDIR": { env: "TMPDIR=" },
  "a relative TMPDIR": { env: "TMPDIR=tmp" },
  "a TMPDIR that is missing": { env: "TMPDIR=/nowhere/at/all" },
  "a TMPDIR that is no text": { env: "TMPDIR=/tmp/\\377" },
  "a /tmp that can't be read": {
    before: "mount -t tmpfs -o mode=000 tmpfs /tmp",
  },
  "no /tmp": { before: "mount -t tmpfs -o mode=000 tmpfs /tmp; umount /tmp" },
  "no /proc": {
    before: "mount -t tmpfs tmpfs /proc",
    says: /^error: Cannot start: \/proc is not mounted\nhint: mount/,
  },
  "an argument that is no text": {
    args: ["status", "\\377"],
    says: /^error: Cannot read the argument .*: expected UTF-8\nhint: /,
  },
  // bash itself complains of it, too.
  "a folder that is gone": {
    before: "mkdir /run/gone; cd /run/gone; rmdir /run/gone",
    says:
      /^error: Cannot start: the current folder does not exist any more\nhint: change/m,
  },
  "a folder whose name is no text": {
    before: `name=$(printf 'a\\377'); mkdir "/run/$name"; cd "/run/$name"`,
    says: /^error: Cannot start in .*: expected UTF-8\nhint: change/,
  },
  "a variable that is no text": {
    env: "XDG_RUNTIME_DIR=/run/\\377",
    args: ["status"],
    says:
      /^error: Cannot read an environment variable: expected UTF-8\nhint: Find/,
  },
};

for (const [what, { before, env, args, says }] of Object.entries(strange)) {
  test(`${what} is told, or has no effect`, async () => {
    const ended = await world.run([
      "sh",
      "-euc",
      `eval "$1"
      name=$(printf %b "$2") last=$(printf %b "$4")
      exec env $name "$3" "$last"`,
      "sh",
      before ?? "true",
      env ?? "A=B",
      `${built}/bin/gitops-sync`,
      args?.at(-1) ?? "--version",
    ], { env: { HOME: "/root" }, cwd: "/" });
    if (says) {
      assert(says.test(ended.stderr), ended.stderr);
      assertEquals(ended.code, 2);
    } else {
      assertEquals([ended.code, ended.stderr], [0, ""]);
      assertStringIncludes(ended.stdout, "gitops-sync ");
    }
  });
}
