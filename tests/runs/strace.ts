/**
 * Which programs a run starts, as the kernel sees it.
 *
 * @module
 */
import { unboundGitopsSync } from "../world/gitops_sync.ts";
import type { Ended } from "../world/program.ts";
import type { World } from "../world/world.ts";

/** Runs gitops-sync; gives the arguments of each program that it started. */
export async function traced(
  world: World,
  ...args: string[]
): Promise<Ended & { started: string[][] }> {
  const file = `${world.folder}/trace`;
  const ended = await world.run([
    ...["strace", "--follow-forks", "--seccomp-bpf", "--string-limit=4096"],
    ...["--trace=execve,clone,clone3,vfork,fork", "--signal=none"],
    ...["--quiet=all", "--output", file, "--"],
    ...unboundGitopsSync,
    ...args,
  ]);
  return { ...ended, started: startedIn(Deno.readTextFileSync(file)) };
}

/**
 * Whether strace ended the runtime: tokio 1.36 (Deno 2.2) panics where a child
 * has ended and its tracer has not yet let go of it. It says so.
 */
export function diedOfTracing({ stderr }: Pick<Ended, "stderr">): boolean {
  const isDead = stderr.includes("pidfd is ready to read");
  if (isDead) console.log("not tested: this Deno panics under strace");
  return isDead;
}

/** Reads strace's output: `PID call(arguments) = result`, also in two halves. */
function startedIn(trace: string): string[][] {
  const begun = new Map<string, string>();
  /** The process of the run that each of its threads belongs to. */
  const ours = new Set<string>();
  const children = new Set<string>();
  const started: { pid: string; argv: string[] }[] = [];
  for (const line of trace.split("\n")) {
    const [, pid, rest] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (pid === undefined || rest === undefined) continue;
    if (ours.size === 0) ours.add(pid);
    if (rest.endsWith("<unfinished ...>")) {
      begun.set(pid, rest.replace(/ *<unfinished \.\.\.>$/, ""));
    }
    const call = rest.replace(/^<\.\.\. \w+ resumed>/, begun.get(pid) ?? "");
    const made = /^(?:clone3?|v?fork)\(.* = (\d+)$/.exec(call)?.[1];
    if (made && ours.has(pid)) {
      (call.includes("CLONE_THREAD") ? ours : children).add(made);
    }
    const argv = /^execve\("[^"]*", (\[.*\]), /.exec(call)?.[1];
    if (argv && / = 0$/.test(call)) {
      started.push({ pid, argv: JSON.parse(argv) });
    }
  }
  // A child may be seen at work before its parent is told of it.
  return started.filter(({ pid }) => children.delete(pid))
    .map(({ argv }) => argv);
}
