/**
 * What a person types who follows the documentation: a real shell reads the
 * lines, and writes down each call of gitops-sync in place of making it.
 *
 * @module
 */
import { run } from "../world/program.ts";
import { type Block, placeOf } from "./blocks.ts";

/** A call of gitops-sync that a block makes: the words after its name. */
export interface Typed {
  place: string;
  words: string[];
}

/**
 * Functions take the place of the programs, and no other program is found: the
 * shell changes nothing on this machine.
 */
const standIns = `
command_not_found_handle() { :; }
gitops-sync() { printf '%s\\0' gitops-sync "$@" $'\\n' >&3; }
deno() {
  while [ $# -gt 0 ] && [ "$1" != gitops_sync.ts ]; do shift; done
  [ $# = 0 ] || gitops-sync "\${@:2}"
}
git() { [ "$1" != rev-parse ] || echo ${"0123456789".repeat(4)}; }
hostname() { echo myhost; }
sudo() { "$@"; }
sh() { [ "$1" != -c ] || eval "$2"; }
cd() { :; }
umask() { :; }
exec 3>&1 >/dev/null </dev/null
PATH=/nonexistent
`;

/** The lines of a block that are typed; in a console a prompt is before them. */
function linesOf({ language, text }: Block): string {
  if (language !== "console") return text;
  return text.split("\n").filter((line) => /^[$#] /.test(line))
    .map((line) => `${line.slice(2)}\n`).join("");
}

/**
 * The calls of gitops-sync in a block, in their order.
 *
 * @throws {Error} what the shell can't read.
 */
export async function callsIn(block: Block): Promise<Typed[]> {
  // What goes to a file goes to none.
  const lines = linesOf(block).replaceAll(/>>? *[\w./~-]+/g, ">/dev/null");
  const read = await run(["bash", "-n", "-c", lines]);
  if (read.code !== 0) throw new Error(`${placeOf(block)}: ${read.stderr}`);
  const { stdout } = await run(["bash", "-c", standIns + lines], { cwd: "/" });
  return stdout.split("\n\0").map((one) => one.split("\0").slice(0, -1))
    .filter(([name]) => name === "gitops-sync")
    .map(([_, ...words]) => ({ place: placeOf(block), words }));
}
