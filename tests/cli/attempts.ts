/**
 * Run by confine_test.ts with the permissions of a command: tries what it is
 * sent, and answers whether Deno let it.
 *
 * @module
 */
/// <reference lib="deno.worker" />

/** What can be tried, by name; each takes one word. */
const attempts: Readonly<Record<string, (word: string) => unknown>> = {
  read: (path) => Deno.readTextFileSync(path),
  write: (path) => Deno.writeTextFileSync(path, ""),
  remove: (path) => Deno.removeSync(path),
  run: (program) => new Deno.Command(program).outputSync(),
  "run git from": (path) =>
    new Deno.Command("git", { clearEnv: true, env: { PATH: path } })
      .outputSync(),
  connect: async (port) =>
    (await Deno.connect({ hostname: "127.0.0.1", port: Number(port) })).close(),
  fetch: async (url) => await (await fetch(url)).text(),
  variable: (name) => Deno.env.get(name),
  "all variables": () => Deno.env.toObject(),
  signal: () => Deno.kill(Deno.ppid, "SIGCONT"),
  load: (specifier) => import(specifier),
  "load natively": (path) => Deno.dlopen(path, {}),
};

self.onmessage = async ({ data: [what, word] }: MessageEvent<string[]>) => {
  let answer = "allowed";
  try {
    await attempts[what!]!(word!);
  } catch (error) {
    // Some of it fails in other ways, once it was allowed.
    if (error instanceof Deno.errors.NotCapable) answer = "refused";
    else if (/--allow-/.test(String(error))) answer = "refused";
    else answer = `allowed, ${error}`;
  }
  self.postMessage(answer);
};
