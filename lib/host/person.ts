/**
 * Finds out which person runs this program.
 *
 * @module
 */
import { oneLine } from "../base/text.ts";
import { kernelText } from "../process/kernel.ts";

/** The kernel's value for "no login" (proc_pid_loginuid(5)). */
const nobody = 4_294_967_295;

/**
 * Returns who runs this program: the person who called sudo, who logged in, or
 * who owns the process. This is for people to read, and no proof: root can be
 * anybody.
 */
export function whoRuns(): string {
  const sudo = Deno.env.get("SUDO_USER");
  if (sudo) return oneLine(sudo, 80);
  const login = loginUid();
  return nameOf(login ?? Deno.uid() ?? 0);
}

function loginUid(): number | undefined {
  try {
    const text = kernelText("/proc/self/loginuid").trim();
    const uid = Number(text);
    return /^\d+$/.test(text) && uid !== nobody ? uid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns the name of a user id (passwd(5)); the id itself if it has no name.
 */
function nameOf(uid: number): string {
  let text = "";
  try {
    text = Deno.readTextFileSync("/etc/passwd");
  } catch {
    // Without a name, the id is returned.
  }
  const [name] = text.split("\n").map((line) => line.split(":"))
    .find(([, , id]) => id === String(uid)) ?? [];
  return name ? oneLine(name, 80) : `uid ${uid}`;
}
