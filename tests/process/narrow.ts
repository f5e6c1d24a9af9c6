/**
 * Run by command_allowed_test.ts with a fixed list of programs, as the package
 * is: what comes of a timeout, of a file of the kernel's and of a program that
 * is not on the list.
 */
import { run } from "../../lib/process/run_command.ts";
import {
  commandLines,
  kernelNames,
  kernelText,
} from "../../lib/process/kernel.ts";

const ended = await run({
  program: "sh",
  args: ["-c", 'sleep 600 & echo "$!"; wait'],
  timeout: 500,
});
const refused = await run({ program: "id", args: [], timeout: 1000 })
  .catch((error: Error) => error);
// One line without an end, which tail has to keep.
const fed = await run({
  program: "sh",
  args: ["-c", "(head -c 3000M /dev/zero | tail -n 1 >/dev/null; true); true"],
  timeout: 60_000,
  limits: { memory: 64 * 2 ** 20 },
}).catch((error: Error) => error);
console.log(JSON.stringify({
  overLimit: fed instanceof Error ? fed.message : "it was fed on",
  timedOut: ended.timedOut,
  left: Number(new TextDecoder().decode(ended.stdout)),
  bootId: kernelText("/proc/sys/kernel/random/boot_id"),
  ownWords: commandLines().get(String(Deno.pid)),
  names: kernelNames("/proc/self"),
  gone: kernelNames("/proc/there/is/none"),
  refused: refused instanceof Error ? refused.message : "it ran",
}));
