import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { output } from "../world/program.ts";

/** What narrow.ts saw. */
interface Seen {
  timedOut: boolean;
  overLimit: string;
  left: number;
  bootId: string;
  ownWords: string[];
  names: string[];
  gone: string[];
  refused: string;
}

Deno.test("with a fixed list of programs, timeouts, bounds and the kernel's files work", async () => {
  const seen: Seen = JSON.parse(
    await output([
      Deno.execPath(),
      "run",
      "--no-prompt",
      "--allow-env",
      "--allow-read",
      "--allow-run=sh,kill,cat,head,ls",
      join(import.meta.dirname!, "narrow.ts"),
    ]),
  );
  assert(seen.timedOut);
  assert(seen.left > 1);
  assert(!isRunning(seen.left), "what the program started has ended too");
  const bootId = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id");
  assertEquals(seen.bootId, bootId);
  assert(seen.ownWords.includes("--no-prompt"), seen.ownWords.join(" "));
  assert(seen.names.includes("cmdline"));
  assertEquals(seen.gone, []);
  assertStringIncludes(seen.overLimit, "too much memory");
  assertStringIncludes(seen.refused, "Cannot run id");
});

/** Whether a process is there and no zombie (proc_pid_stat(5), field 3). */
function isRunning(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !==
      "Z";
  } catch {
    return false;
  }
}
