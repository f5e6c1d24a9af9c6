/**
 * Reads what `switch-to-configuration` prints about units. The words are those
 * of switch-to-configuration-ng in nixpkgs.
 *
 * @module
 */

/** What a switch printed. */
export interface Said {
  /** The units that it failed to handle, with the line about each. */
  readonly failed: ReadonlyMap<string, string>;
  /** The users whose activation failed, with the line about each. */
  readonly users: ReadonlyMap<string, string>;
  /** The units that it lists as failed at its end. */
  readonly listed: readonly string[];
  /** The units that it started, restarted or reloaded by name. */
  readonly handled: ReadonlySet<string>;
}

/**
 * Reads the lines of a switch.
 *
 * @param code Its exit code. Only with 4 there are units that it failed to
 * handle. Activation scripts may print the same words for other things.
 */
export function readSwitch(lines: readonly string[], code: number): Said {
  const failed = new Map<string, string>(), users = new Map<string, string>();
  const listed: string[] = [], handled = new Set<string>();
  for (const line of lines) {
    const unit = named(line, failedUnit), user = named(line, failedUser);
    if (code === 4 && unit && isUnit(unit)) failed.set(unit, line.trim());
    if (code === 4 && user) users.set(user, line.trim());
    const [, list] = /the following (?:new )?units failed: (.*)$/.exec(line) ??
      [];
    if (list) listed.push(...namesIn(list));
    const [, done] =
      /^(?:starting|restarting|reloading) the following units: (.*)$/
        .exec(line) ?? [];
    for (const name of namesIn(done ?? "")) handled.add(name);
  }
  return { failed, users, listed, handled };
}

const failedUnit =
  /\bFailed to (?:start|restart|reload|stop) (\S+?)[:.,]?(?:\s|$)/;
const failedUser = /\buser activation for (\S+) failed/;

const named = (line: string, pattern: RegExp) => pattern.exec(line)?.[1];

/** systemctl(1) and others use the same words for other things than units. */
function isUnit(name: string): boolean {
  return /\.(service|socket|timer|path|target|mount|automount|swap|slice|scope|device)$/
    .test(name);
}

function namesIn(list: string): string[] {
  return list.split(/[,\s]+/).filter(isUnit);
}

/** Returns whether it names anything that it failed to handle. */
export function namesAny({ failed, users, listed }: Said): boolean {
  return failed.size + users.size + listed.length > 0;
}

/** For the case without a switch. */
export const nothingSaid: Said = readSwitch([], 0);
