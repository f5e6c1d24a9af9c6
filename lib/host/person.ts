/**
 * Which person runs this.
 *
 * @module
 */
import { oneLine } from "../base/text.ts";
import { kernelText } from "../process/kernel.ts";

/** No login of a person, as the kernel writes it (proc_pid_loginuid(5)). */
const nobody = 4_294_967_295;

/**
 * Who runs this, as far as one can tell: who called sudo, who logged in, or
 * whose process it is. For people to read, and no proof: root can be anybody.
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

/** The name of a number (passwd(5)); the number itself where it has none. */
function nameOf(uid: number): string {
  let text = "";
  try {
    text = Deno.readTextFileSync("/etc/passwd");
  } catch {
    // A person without a name has a number all the same.
  }
  const [name] = text.split("\n").map((line) => line.split(":"))
    .find(([, , id]) => id === String(uid)) ?? [];
  return name ? oneLine(name, 80) : `uid ${uid}`;
}
