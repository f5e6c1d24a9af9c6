/**
 * Reads the output of `switch-to-configuration dry-activate`. Pure.
 *
 * The output is that of switch-to-configuration-ng in nixpkgs, of its Perl
 * predecessor, and of sops-install-secrets. It always ends with 0, so the output
 * is the only result. An unknown line is passed on unchanged.
 *
 * @module
 */

/** What a switch would do with units, as it reports it. */
export interface DryWords {
  /** Whether it reached the activation: without that, the lists are incomplete. */
  isWhole: boolean;
  stop: readonly string[];
  start: readonly string[];
  restart: readonly string[];
  reload: readonly string[];
  /** Changed units that stay as they are. */
  keep: readonly string[];
  /** Swap devices that would be turned off. */
  swapOff: readonly string[];
  /** Whether systemd would re-execute itself. */
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

/** Lines about the program itself, not about changes. */
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
