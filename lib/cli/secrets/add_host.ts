/**
 * `gitops-sync secrets add-host`: adds a new host to the rules, and to the
 * files.
 *
 * @module
 */
import { dirname, join, relative } from "@std/path";
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { guide } from "../../base/guide.ts";
import { oneLine } from "../../base/text.ts";
import { isAgeFile } from "../../secrets/age.ts";
import { addToNix } from "../../secrets/people/add_to_nix.ts";
import { addToSops, type Newcomer } from "../../secrets/people/add_to_sops.ts";
import {
  filesOf,
  nearest,
  type Place,
  placeOf,
} from "../../secrets/people/checkout.ts";
import {
  nearestAgeRules,
  pathIn,
  readAgeRules,
  withoutComment,
} from "../../secrets/people/own_age.ts";
import {
  namesInNix,
  namesInSops,
} from "../../secrets/people/recipient_names.ts";
import { Reader } from "../../secrets/reading/reader.ts";
import { ruleFor } from "../../secrets/sops/rules.ts";
import { localConfigOf } from "../config.ts";
import { realEffects } from "../output/effects.ts";
import { ownIdentities } from "./identities.ts";
import { printJson } from "../output/json.ts";
import { print } from "../output/print.ts";
import {
  type Change,
  rekeyAge,
  rekeySops,
  type Work,
  writeAll,
} from "./work.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const newcomer = newcomerOf(call);
  const places = await Promise.all(call.operands.slice(2).map(placeOf));
  const { top } = places[0] ?? await placeOf(".");
  const config = await localConfigOf(call);
  using effects = await realEffects(call.verbose);
  const identities = await ownIdentities(effects, config);
  const work = { effects, identities };
  const ofAge = places.filter(({ path }) => path.endsWith(".age"));
  const ofSops = places.filter((place) => !ofAge.includes(place));
  const changes: Change[] = [];
  if (ofSops.length > 0 || ofAge.length === 0) {
    changes.push(...await inSops(work, top, newcomer, ofSops));
  }
  if (ofAge.length > 0) {
    changes.push(...await inNix(work, top, newcomer, ofAge));
  }
  await writeAll(changes);
  const files = changes.map(({ place }) => place.path);
  if (call.json) {
    const result = { result: "added", ...newcomer, files };
    printJson("secrets add-host", exitCodes.ok, result);
  } else {
    for (const file of files) print(`Changed ${file}`);
    print(`${newcomer.name} can open them once they are committed and pushed`);
  }
  return exitCodes.ok;
}

function newcomerOf({ operands }: Call): Newcomer {
  const [name, given] = operands;
  if (name === undefined || given === undefined) {
    throw usageError(
      "words-missing",
      "Cannot add a host: expected gitops-sync secrets add-host NAME KEY FILE…",
      "Run `sudo gitops-sync secrets recipients` on the host to print its keys.",
    );
  }
  if (!/^[A-Za-z_][\w-]*$/.test(name)) {
    throw usageError(
      "host-name",
      `Cannot use ${
        oneLine(name, 80)
      } as a name in .sops.yaml and secrets.nix: expected letters, digits, _ and -`,
    );
  }
  const key = withoutComment(given);
  const isFingerprint = /^[0-9A-Fa-f]{40}$/.test(key);
  const isKey =
    /^age1[0-9a-z+.-]{58,}$|^ssh-(?:ed25519|rsa) [A-Za-z0-9+/]{60,}=*$/;
  if (!isFingerprint && !isKey.test(key)) {
    throw usageError(
      "host-key",
      `Cannot use ${
        oneLine(key, 40)
      } as a public key: expected age1…, "ssh-ed25519 AAAA…" or a fingerprint of OpenPGP`,
    );
  }
  return { name, recipient: isFingerprint ? key.toUpperCase() : key };
}

/** Adds the host to `.sops.yaml`, and to the files of its rules. */
async function inSops(
  work: Work,
  top: string,
  newcomer: Newcomer,
  places: readonly Place[],
): Promise<Change[]> {
  const config = await oneRulesFile(places, top, ".sops.yaml");
  const text = await Deno.readTextFile(join(top, config));
  refuseOther(namesInSops(text), newcomer, config);
  using reader = new Reader();
  const { rules } = await reader.rulesIn(text);
  const ruleOf = (path: string) => {
    const rule = ruleFor(rules, relative(dirname(config), path));
    return rule === undefined ? -1 : rules.indexOf(rule);
  };
  const wanted = new Set(places.map(({ path }) => {
    const rule = ruleOf(path);
    if (rule !== -1) return rule;
    throw usageError("no-rules", `Cannot find a rule for ${path} in ${config}`);
  }));
  if (places.length === 0) {
    if (rules.length !== 1) throw whichFiles(newcomer, config);
    wanted.add(0);
  }
  const changed = addToSops(text, newcomer, wanted);
  if (changed === undefined) throw byHand(newcomer, config);
  const changes = [changeOf(top, config, changed)];
  for (const path of await filesOf(work.effects, top)) {
    const place = { top, path };
    if (!wanted.has(ruleOf(path)) || !await isSopsFile(place, reader)) continue;
    if (await nearest(place, ".sops.yaml") !== config) continue;
    changes.push({ place, content: await rekeySops(work, place, changed) });
  }
  return changes;
}

/** Adds the host to `secrets.nix`, and to the files. */
async function inNix(
  work: Work,
  top: string,
  newcomer: Newcomer,
  places: readonly Place[],
): Promise<Change[]> {
  const config = await oneRulesFile(places, top, "secrets.nix");
  const text = await Deno.readTextFile(join(top, config));
  refuseOther(namesInNix(text), newcomer, config);
  const before = await readAgeRules(work.effects, join(top, config), top);
  const paths = places.map(({ path }) => pathIn(before, config, path));
  const lacking = paths.filter((path) =>
    !before.get(path)?.includes(newcomer.recipient)
  );
  const changed = addToNix(text, newcomer, lacking);
  if (changed === undefined) throw byHand(newcomer, config);
  const after = await evaluateChanged(work, top, config, changed);
  const isAsMeant = after.size === before.size &&
    [...after].every(([path, now]) => {
      const old = before.get(path) ?? [];
      const expected = lacking.includes(path)
        ? [...old, newcomer.recipient]
        : old;
      return now.toSorted().join() === expected.toSorted().join();
    });
  if (!isAsMeant) throw byHand(newcomer, config);
  const changes = [changeOf(top, config, changed)];
  for (const [i, place] of places.entries()) {
    const content = await Deno.readFile(join(top, place.path))
      .catch(() => undefined);
    // A missing file gets its recipients when it is created.
    if (!content || !isAgeFile(new TextDecoder().decode(content))) continue;
    const whom = after.get(paths[i]!)!;
    changes.push({ place, content: await rekeyAge(work, place, whom) });
  }
  return changes;
}

/**
 * Evaluates a changed `secrets.nix` in the same folder, because it may import
 * other files.
 */
async function evaluateChanged(
  work: Work,
  top: string,
  config: string,
  text: string,
) {
  const file = await Deno.makeTempFile({
    dir: dirname(join(top, config)),
    prefix: ".gitops-sync-",
    suffix: ".nix",
  });
  try {
    await Deno.writeTextFile(file, text);
    return await readAgeRules(work.effects, file, top);
  } finally {
    await Deno.remove(file);
  }
}

async function oneRulesFile(
  places: readonly Place[],
  top: string,
  name: string,
): Promise<string> {
  const asked = places.length > 0 ? places : [{ top, path: "." }];
  const find = (place: Place) =>
    name === "secrets.nix" ? nearestAgeRules(place) : nearest(place, name);
  const found = new Set(await Promise.all(asked.map(find)));
  const [first] = found;
  if (found.size === 1 && first !== undefined) return first;
  throw usageError(
    "no-rules",
    found.size === 1
      ? `Cannot add a host: there is no ${name} in ${top}`
      : `Cannot add a host for files of more than one ${name} at once`,
    `See ${guide("secrets.md")}`,
  );
}

async function isSopsFile(
  { top, path }: Place,
  reader: Reader,
): Promise<boolean> {
  const bytes = await Deno.readFile(join(top, path)).catch(() => undefined);
  if (!bytes) return false;
  return (await reader.facts({ name: path, bytes })).kind === "sops";
}

function changeOf(top: string, path: string, text: string): Change {
  return { place: { top, path }, content: new TextEncoder().encode(text) };
}

function refuseOther(
  names: readonly Newcomer[],
  { name, recipient }: Newcomer,
  config: string,
): void {
  const other = names.find((one) => one.name === name);
  if (!other || other.recipient === recipient) return;
  throw usageError(
    "host-known",
    `Cannot add ${name}: ${config} has another key of that name`,
    "Replace the old key in that file by hand, then run `gitops-sync secrets updatekeys FILE…`.",
  );
}

function whichFiles({ name }: Newcomer, config: string) {
  return usageError(
    "which-files",
    `Cannot choose what ${name} may read: ${config} has more than one rule`,
    `Name a file of each rule: \`gitops-sync secrets add-host ${name} KEY FILE…\`.`,
  );
}

function byHand({ name }: Newcomer, config: string) {
  return usageError(
    "by-hand",
    `Cannot add ${name} to ${config}: this command does not understand its layout; nothing was changed`,
    "Add the key by hand, then run `gitops-sync secrets updatekeys FILE…`.",
  );
}
