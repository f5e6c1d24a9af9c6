import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { isPassword, readPasswords } from "../../lib/serve/password.ts";
import type { World } from "../world/world.ts";
import { test } from "./setting.ts";
import { Terminal } from "./terminal.ts";

const password = "correct horse battery";

/** Whether a line is one of ada's with that password. */
async function holds(world: World, line: string): Promise<boolean> {
  world.write("/etc/passwords", `${line}\n`);
  const [person] = await readPasswords(world.path("/etc/passwords"));
  assertEquals(person!.name, "ada");
  assert(!await isPassword(person!, `${password}.`));
  return await isPassword(person!, password);
}

test("a password from standard input becomes a line", async (world) => {
  const hash = (name: string, input: string) =>
    world.run(["gitops-sync", "serve", "--hash-password", name], { input });
  const { code, stdout, stderr } = await hash("ada", `${password}\n`);
  assertEquals(code, 0, stderr);
  assert(await holds(world, stdout.trim()));
  const table: [string, string, string][] = [
    ["ada", "short\n", "expected 12 to 256 characters"],
    ["ada", "", "expected 12 to 256 characters"],
    ["ada", "x".repeat(300), "expected 12 to 256 characters"],
    ["a:b", password, 'Cannot use "a:b" as a name'],
    ["a b", password, 'Cannot use "a b" as a name'],
  ];
  for (const [name, input, says] of table) {
    const ended = await hash(name, input);
    assertEquals([ended.code, ended.stdout], [2, ""], input);
    assertStringIncludes(ended.stderr, says);
  }
});

test("a terminal asks twice for a password, and shows nothing of it", async (world) => {
  await using terminal = await Terminal.open(world, {
    columns: 200,
    shell: ["sh", "-c", "PS1='$ ' exec sh"],
  });
  const line = "gitops-sync serve --hash-password ada > /run/line";
  await terminal.keys(line, "Enter");
  await terminal.shows(/Password of ada:/);
  await terminal.keys(password, "x", "BSpace", "Enter");
  await terminal.shows(/Once more:/);
  await terminal.keys(password, "Enter");
  const screen = await terminal.shows(/Once more:\s*\n\$/);
  assert(!screen.includes("horse"), screen);
  assert(await holds(world, world.read("/run/line")!.trim()));
  await terminal.keys("clear", "Enter", line, "Enter");
  await terminal.shows(/Password of ada:/);
  await terminal.keys("C-c");
  await terminal.shows(/Interrupted: nothing was printed/);
  await terminal.keys("echo is it $((40 + 2))", "Enter");
  await terminal.shows(/is it 42/);
});
