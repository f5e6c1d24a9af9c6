/**
 * Checks one encrypted file: it opens here, it is for others, or it has a
 * problem.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { ageStanzas, isAgeFile, openAge, type Opened, sshTag } from "./age.ts";
import { isForAnyAge, openWith } from "./age_program.ts";
import type { AgeProgram } from "./agenix.ts";
import {
  fixFor,
  forgottenProblem,
  isVaultAlone,
  pluginFix,
  restoreFix,
  textProblem,
  unreadableProblem,
  vaultNote,
} from "./faults.ts";
import { type Problem, quoted } from "./problems.ts";
import { type Facts, factsOf, type SopsFacts } from "./reading/facts.ts";
import type { ReadFacts } from "./reading/reader.ts";
import type { SopsFormat } from "./sops/formats.ts";
import { recipientsOf } from "./sops/metadata.ts";
import type { CreationRule } from "./sops/rules.ts";
import { accessTo, type Keys, openSops } from "./sops/sops.ts";

/** A file to check. */
export interface SecretFile {
  /** Its name for people. */
  name: string;
  bytes: Uint8Array;
  /**
   * The format for sops; `age` for age files. The default comes from its
   * content, and then from its name.
   */
  format?: SopsFormat | "age";
  /** The program that will decrypt it, and the path for it; only for age. */
  opener?: { program: AgeProgram; file: string };
  /** The creation rule for it. */
  rule?: CreationRule;
  /**
   * Whether the rule is specific to its place, so that it must be encrypted.
   */
  expected?: boolean;
}

/** The result for a file on this host. */
export type Answer =
  /**
   * `remember`: it opens again as long as nothing changes. `format`: how it was
   * read.
   */
  | { kind: "opened"; remember: boolean; format: SopsFormat | "age" }
  /**
   * `note`: it has a problem all the same. `why`: the message of the program
   * that did not open it. `byPlugin`: an age plugin might open it. `remember`
   * as above.
   */
  | {
    kind: "foreign";
    note?: Problem;
    why?: string;
    byPlugin?: boolean;
    remember: boolean;
  }
  /** Nothing in it is encrypted, and nothing should be. */
  | { kind: "plain" }
  | { kind: "problem"; problem: Problem };

type Found = Omit<Problem, "file">;

/** Reads in this process, if it may be busy. */
const readHere: ReadFacts = (asked) => Promise.resolve(factsOf(asked));

/**
 * Checks one file. sops and age themselves try to open it; this program only
 * reads its recipients, and why it did not open. Never throws because of its
 * content.
 *
 * @param timeout The timeout for opening it, in milliseconds.
 * @param read Reads what it shows without decryption.
 */
export async function judgeFile(
  effects: Effects,
  keys: Keys,
  file: SecretFile,
  timeout?: number,
  read: ReadFacts = readHere,
): Promise<Answer> {
  if (file.format === "age") {
    return await judgeAge(effects, keys, file, timeout);
  }
  const { name, bytes, format } = file;
  const facts = await read({ name, bytes, ...(format ? { format } : {}) });
  return facts.kind === "sops"
    ? await judgeSops(effects, keys, file, facts, timeout)
    : await judgeOther(effects, keys, file, facts, timeout);
}

async function judgeAge(
  effects: Effects,
  { identities }: Keys,
  given: SecretFile,
  timeout: number | undefined,
): Promise<Answer> {
  const { name, bytes } = given;
  // Only the header is text.
  const text = new TextDecoder("latin1").decode(bytes);
  const file = quoted(name);
  const fix =
    `restore it: git checkout REVISION -- ${file}, or create it again: agenix -e ${file}`;
  if (!isAgeFile(text)) {
    // It only contains some age data.
    if (!name.endsWith(".age")) return { kind: "plain" };
    const why = bytes.length === 0
      ? "it is empty"
      : "it is not an age file: it is truncated, or was never encrypted";
    return problem(name, { reason: "not-age", why, fix });
  }
  const recipients = ageStanzas(text);
  if (!recipients) {
    const why = "its header is truncated";
    return problem(name, { reason: "cut-off", why, fix });
  }
  const opened = await openAsSystem(effects, identities, given, timeout);
  if (opened.ok) return { kind: "opened", remember: true, format: "age" };
  const { why, kind } = opened;
  if (kind === "timed-out") {
    return problem(name, { reason: kind, why, ...fixFor(kind, name) });
  }
  const tags = await Promise.all(
    identities.flatMap(({ recipients }) => recipients).map(sshTag),
  );
  const isOwn = recipients.some((one) => tags.includes(one));
  if (!isOwn && ["foreign", "plugin", "locked"].includes(kind)) {
    // The plugin may be available the next time.
    const remember = !identities.some(({ plugins }) => plugins);
    const byPlugin = kind === "plugin" ? { byPlugin: true } : {};
    return { kind: "foreign", why, remember, ...byPlugin };
  }
  // A file for this host's own key that no key opens is damaged.
  if (kind === "damaged" || kind === "foreign") {
    return problem(name, { reason: "damaged", why, recipients, fix });
  }
  return problem(name, ageFailed(why, kind === "plugin"));
}

/**
 * Uses this program's age if any age gives the same result, and otherwise that
 * of the system.
 */
async function openAsSystem(
  effects: Effects,
  identities: Keys["identities"],
  { bytes, opener }: SecretFile,
  timeout: number | undefined,
): Promise<Opened> {
  const start = effects.monotonic();
  const ours = await openAge(effects, bytes, identities, timeout);
  if (!opener || (ours.ok && isForAnyAge(bytes))) return ours;
  const left = (timeout ?? 60_000) - (effects.monotonic() - start);
  const { program, file } = opener;
  return await openWith(effects, program, file, identities, left) ?? ours;
}

async function judgeSops(
  effects: Effects,
  keys: Keys,
  { name, bytes, rule }: SecretFile,
  file: SopsFacts,
  timeout: number | undefined,
): Promise<Answer> {
  const recipients = recipientsOf(file).map(({ name }) => name);
  const bad = (found: Omit<Found, "recipients">) =>
    problem(name, { ...found, recipients });
  if (recipients.length === 0) {
    const why = "it has no recipients";
    return bad({ reason: "no-recipients", why, fix: restoreFix(name) });
  }
  const access = accessTo(file, keys);
  const { own, perhaps } = access;
  if (own.length === 0 && perhaps.length === 0) {
    if (rule && isOwnRule(rule, keys)) return bad(forgottenProblem(name));
    const note = isVaultAlone(file) ? vaultNote(name, file, keys) : undefined;
    const remember = note === undefined;
    return { kind: "foreign", remember, ...(note ? { note } : {}) };
  }
  const needsVault = access.groups < file.needed && access.hasVault;
  const first = new Set([...own, ...perhaps].map(({ name }) => name));
  const identities = firstThose(keys.identities, first);
  const opened = await openSops(
    effects,
    bytes,
    file.format,
    { ...keys, identities },
    needsVault,
    timeout,
  );
  if (opened.ok) {
    // Whether Vault answers can change each time.
    return { kind: "opened", remember: !needsVault, format: file.format };
  }
  const { reason } = opened;
  const passing = fixFor(reason, name);
  const text = new TextDecoder("latin1").decode(bytes);
  const isOfList = reason === "tampered" && /^\s+#ENC\[/m.test(text);
  const why = isOfList
    ? `${opened.why}; or this version of sops can't read a comment in a list`
    : opened.why;
  // These results need the data key, so the file is damaged and not foreign.
  const isKeyed = ["value-changed", "tampered", "no-mac"].includes(reason);
  if (own.length === 0 && !isKeyed) {
    if (rule && isOwnRule(rule, keys)) return bad(forgottenProblem(name));
    return { kind: "foreign", why, byPlugin: true, remember: false };
  }
  const shown = textProblem(name, file, access, keys);
  // This program's failure to read it means nothing while sops may read it.
  const fault = passing.transient && shown?.reason === "broken"
    ? undefined
    : shown;
  const found = fault ?? { reason, why, ...passing };
  // Prose that quotes a whole file is not a sops file.
  return file.isGuess && file.unread !== undefined
    ? { kind: "foreign", remember: false, note: { file: name, ...found } }
    : bad(found);
}

/** Checks a file without readable metadata: never encrypted, or incomplete. */
async function judgeOther(
  effects: Effects,
  keys: Keys,
  given: SecretFile,
  facts: Exclude<Facts, SopsFacts>,
  timeout: number | undefined,
): Promise<Answer> {
  const { name, bytes, rule, expected } = given;
  if (facts.kind === "plain" && (!expected || bytes.length === 0)) {
    return { kind: "plain" };
  }
  const text = new TextDecoder("latin1").decode(bytes);
  const isUnclear = facts.kind === "broken" || facts.kind === "unread";
  const isNamed = isUnclear && isNamedIn(text, keys);
  if (isNamed) {
    const { format } = facts;
    const hasVault = keys.vault !== undefined;
    const ways = [effects, bytes, format, keys, hasVault, timeout] as const;
    const opened = await openSops(...ways);
    if (opened.ok) return { kind: "opened", remember: !hasVault, format };
    const { reason, why } = opened;
    const passing = fixFor(reason, name);
    if (passing.transient) return problem(name, { reason, why, ...passing });
  }
  const found = unreadableProblem(name, facts);
  const isForOthers = rule && rule.groups.length > 0
    ? !isOwnRule(rule, keys)
    : isUnclear && !isNamed && /age1[02-9ac-hj-np-z]{58}/.test(text);
  return isForOthers
    ? { kind: "foreign", remember: false, note: { file: name, ...found } }
    : problem(name, found);
}

/** Returns the problem if age failed before it read the file. */
function ageFailed(why: string, isOfPlugin: boolean): Found {
  return isOfPlugin ? { reason: "plugin-failed", why, fix: pluginFix } : {
    reason: "age-failed",
    why: `age failed before it read the file: ${why}`,
    fix: "fix the key file that age names, or set secrets.identities to others",
  };
}

/** Whether an unreadable text names a key of this host anywhere. */
function isNamedIn(text: string, { identities, vault }: Keys): boolean {
  const names = identities.flatMap(({ recipients }) => recipients)
    .map((name) => name.split(" ").at(-1)!);
  return names.some((name) => text.includes(name)) ||
    (vault !== undefined && text.includes(vault.address));
}

function problem(file: string, found: Found): Answer {
  return { kind: "problem", problem: { file, ...found } };
}

/** Whether a creation rule names this host. */
export function isOwnRule({ groups }: CreationRule, keys: Keys): boolean {
  return accessTo({ groups }, keys).own.length > 0;
}

/**
 * Puts the named identities first: sops only uses one SSH key and one GnuPG
 * home.
 */
function firstThose<T extends { recipients: readonly string[] }>(
  identities: readonly T[],
  own: ReadonlySet<string>,
): T[] {
  const rank = ({ recipients }: T) =>
    recipients.some((one) =>
        [...own].some((name) => name.startsWith(one) || one.endsWith(name))
      )
      ? 0
      : 1;
  return identities.toSorted((a, b) => rank(a) - rank(b));
}
