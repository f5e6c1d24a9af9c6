/**
 * Reads what `switch-to-configuration dry-activate` says. Pure.
 *
 * The words are those of switch-to-configuration-ng in nixpkgs, of the Perl one
 * before it, and of sops-install-secrets. It always ends with 0, so its text is
 * all there is. A line that is not known here is handed on as it is.
 *
 * @module
 */

/** What a switch would do with units, in its own words. */
export interface DryWords {
  /** Whether it came as far as the activation: without that it said nothing. */
  isWhole: boolean;
  stop: readonly string[];
  start: readonly string[];
  restart: readonly string[];
  reload: readonly string[];
  /** Units that changed, and are left as they are. */
  keep: readonly string[];
  /** Swap devices that would be turned off. */
  swapOff: readonly string[];
  /** Whether systemd would execute itself anew. */
  reexec: boolean;
  /** Secrets of sops-nix, by name. */
  secrets: {
    add: readonly string[];
    modify: readonly string[];
    remove: readonly string[];
  };
  /** All other lines. */
  other: readonly string[];
}

type Verb = "stop" | "start" | "restart" | "reload";

const units =
  /^would (stop|start|restart|reload) the following (?:user )?units: (.+)$/;
const kept =
  /^would NOT (?:stop|restart) the following changed (?:user )?units: (.+)$/;
const swap = /^would stop swap device: (.+)$/;
// sops-install-secrets as a service, and not as part of the activation.
const single = /^would (restart|reload) (\S+\.[a-z]+)$/;
const secret = /^would (add|modify|remove) (?:rendered )?secrets?\s*: (.+)$/;
const activation = /^would activate the configuration\.\.\.$/;

/** What it says of itself, and not of what would be done. */
const noise = [
  /^(?:Not c|C)hecking switch inhibitors/,
  /^(?:Pre-switch checks|Running pre-switch checks)/i,
  /^No switch inhibitors/i,
];

/** Reads the lines of a dry activation. */
export function readDryWords(lines: readonly string[]): DryWords {
  const lists: Record<Verb | "keep" | "swapOff", Set<string>> = {
    stop: new Set(),
    start: new Set(),
    restart: new Set(),
    reload: new Set(),
    keep: new Set(),
    swapOff: new Set(),
  };
  const secrets = { add: [], modify: [], remove: [] } as Record<
    "add" | "modify" | "remove",
    string[]
  >;
  const other: string[] = [];
  let isWhole = false, reexec = false;
  for (const line of lines.map((one) => one.trim())) {
    const [, verb, list] = units.exec(line) ?? [];
    const [, ofKept] = kept.exec(line) ?? [];
    const [, device] = swap.exec(line) ?? [];
    const [, how, unit] = single.exec(line) ?? [];
    const [, what, names] = secret.exec(line) ?? [];
    if (list !== undefined) addAll(lists[verb as Verb], list);
    else if (ofKept !== undefined) addAll(lists.keep, ofKept);
    else if (device !== undefined) lists.swapOff.add(device);
    else if (line === "would restart systemd") reexec = true;
    else if (unit !== undefined) lists[how as Verb].add(unit);
    else if (names !== undefined) {
      secrets[what as keyof typeof secrets].push(...namesIn(names));
    } else if (activation.test(line)) isWhole = true;
    else if (line !== "" && !noise.some((one) => one.test(line))) {
      other.push(line);
    }
  }
  const sorted = (set: Set<string>) => [...set].sort();
  return {
    isWhole,
    stop: sorted(lists.stop),
    start: sorted(lists.start),
    restart: sorted(lists.restart),
    reload: sorted(lists.reload),
    keep: sorted(lists.keep),
    swapOff: sorted(lists.swapOff),
    reexec,
    secrets,
    other,
  };
}

function addAll(set: Set<string>, list: string): void {
  for (const name of namesIn(list)) set.add(name);
}

function namesIn(list: string): string[] {
  return list.split(",").map((name) => name.trim())
    .filter((name) => name !== "");
}
