/**
 * Reads the encrypted files of a checkout: their recipients, and those that the
 * rules of `.sops.yaml` and `secrets.nix` name.
 *
 * @module
 */
import { dirname, join, relative } from "@std/path";
import type { Effects } from "../../base/effects.ts";
import { count } from "../../base/text.ts";
import { ageStanzas, isAgeFile, sshTag } from "../age.ts";
import { nearest } from "./checkout.ts";
import {
  type AgeRules,
  nearestAgeRules,
  readAgeRules,
  ruledIn,
} from "./own_age.ts";
import { isOfPlugin } from "../identities.ts";
import { type Named, namesInNix, namesInSops } from "./recipient_names.ts";
import type { KnownFile } from "./matrix.ts";
import type { Facts } from "../reading/facts.ts";
import { Reader } from "../reading/reader.ts";
import { recipientsOf } from "../sops/metadata.ts";
import { ruleFor, type SopsRules, wantsEncrypted } from "../sops/rules.ts";

/** The result. */
export interface Found {
  files: KnownFile[];
  names: Named[];
  /** Files that are too large to read. */
  leftOut: string[];
}

/** A file's content and the rules above it. */
interface Candidate {
  path: string;
  bytes: Uint8Array;
  isAge: boolean;
}

/**
 * Reads the files that are encrypted, or should be.
 *
 * @param paths The paths from the top of the checkout.
 * @param most The largest file in bytes; larger ones are left out.
 * @throws {SyncError} for a `secrets.nix` that does not evaluate.
 */
export async function knownFiles(
  effects: Pick<Effects, "run">,
  top: string,
  paths: readonly string[],
  most: number,
): Promise<Found> {
  using reader = new Reader();
  const rules = new RuleReader(effects, top, reader);
  await rules.readNames();
  const files: KnownFile[] = [];
  const leftOut: string[] = [];
  for (const path of paths) {
    const candidate = await read(top, path, most);
    if (candidate === "too-large") leftOut.push(path);
    if (typeof candidate !== "object") continue;
    const known = candidate.isAge
      ? await ageFile(candidate, await rules.age(path))
      : sopsFile(
        path,
        await reader.facts({ name: path, bytes: candidate.bytes }),
        await rules.sops(path),
      );
    if (known) files.push(known);
  }
  files.push(...rules.unclear);
  return { files, names: rules.names, leftOut };
}

async function read(
  top: string,
  path: string,
  most: number,
): Promise<Candidate | "too-large" | undefined> {
  const file = join(top, path);
  const info = await Deno.lstat(file).catch(() => undefined);
  if (!info?.isFile) return undefined;
  if (info.size > most) return "too-large";
  const bytes = await Deno.readFile(file);
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 1000));
  const isAge = path.endsWith(".age") || isAgeFile(start);
  return { path, bytes, isAge };
}

/** Reads each file of rules once. */
class RuleReader {
  readonly #named = new Map<string, Named[]>();
  #sops = new Map<string, SopsRules>();
  #age = new Map<string, AgeRules>();
  /** Rule files that could not be read, so that they are reported. */
  readonly unclear: KnownFile[] = [];

  constructor(
    readonly effects: Pick<Effects, "run">,
    readonly top: string,
    readonly reader: Reader,
  ) {}

  /** All names that were found. */
  get names(): Named[] {
    return [...this.#named.values()].flat();
  }

  /** Reads the names at the top of the checkout, which apply to all folders. */
  async readNames(): Promise<void> {
    const read = (name: string) =>
      Deno.readTextFile(join(this.top, name)).catch(() => "");
    this.#named.set(".sops.yaml", namesInSops(await read(".sops.yaml")));
    this.#named.set("secrets.nix", namesInNix(await read("secrets.nix")));
  }

  /**
   * Returns what `.sops.yaml` says about a file: its recipients, and whether it
   * must be encrypted.
   */
  async sops(
    path: string,
  ): Promise<{ wants?: string[]; isExpected: boolean }> {
    const file = await nearest({ top: this.top, path }, ".sops.yaml");
    if (file === undefined) return { isExpected: false };
    let rules = this.#sops.get(file);
    if (!rules) {
      const text = await Deno.readTextFile(join(this.top, file));
      rules = await this.reader.rulesIn(text);
      this.#sops.set(file, rules);
      this.#named.set(file, namesInSops(text));
      const { why } = rules;
      if (why !== undefined) this.unclear.push(unclearRules(file, why));
    }
    const inRules = relative(dirname(file), path);
    const rule = ruleFor(rules.rules, inRules);
    if (!rule) return { isExpected: false };
    const wants = rule.groups.flat().map(({ name }) => name);
    return { wants, isExpected: wantsEncrypted(rule, inRules) };
  }

  /** Returns what `secrets.nix` says about a file. */
  async age(
    path: string,
  ): Promise<{ wants?: readonly string[] | undefined; isRuled: boolean }> {
    const file = await nearestAgeRules({ top: this.top, path });
    if (file === undefined) return { isRuled: false };
    let rules = this.#age.get(file);
    if (!rules) {
      rules = await readAgeRules(
        this.effects,
        join(this.top, file),
        this.top,
      );
      this.#age.set(file, rules);
      const text = await Deno.readTextFile(join(this.top, file));
      this.#named.set(file, namesInNix(text));
    }
    return { wants: ruledIn(rules, file, path), isRuled: true };
  }
}

/** The problem of a file that must still be encrypted. */
export const inPlaintext =
  "it is in plaintext, but a rule of .sops.yaml requires encryption";

function unclearRules(path: string, why: string): KnownFile {
  const known = { has: undefined, wants: undefined, isShared: false };
  return { path, ...known, problems: [why] };
}

function sopsFile(
  path: string,
  read: Facts,
  { wants, isExpected }: { wants?: string[]; isExpected: boolean },
): KnownFile | undefined {
  const file = { path, wants, isShared: false, problems: [] as string[] };
  switch (read.kind) {
    case "headless":
      return { ...file, has: undefined, problems: ["it is truncated"] };
    case "broken":
    case "unread":
      return { ...file, has: undefined, problems: [read.why] };
    case "plain":
      if (!isExpected) return undefined;
      return {
        ...file,
        has: undefined,
        problems: [inPlaintext],
      };
    case "sops": {
      return {
        ...file,
        has: recipientsOf(read).map(({ name }) => name),
        isShared: read.needed > 1,
        problems: [
          ...read.plain.map((name) => `${name} is in plaintext`),
          ...(read.hasMac ? [] : ["it has no MAC"]),
        ],
      };
    }
  }
}

/**
 * Compares an age file with its rules. X25519 recipients are anonymous: only
 * their number is known. Only the plugin knows how its recipients appear in a
 * file.
 */
async function ageFile(
  { path, bytes }: Candidate,
  { wants, isRuled }: {
    wants?: readonly string[] | undefined;
    isRuled: boolean;
  },
): Promise<KnownFile> {
  const file = { path, wants, isShared: false };
  const text = new TextDecoder("latin1").decode(bytes);
  const stanzas = ageStanzas(text)
    // Random stanzas that some programs add on purpose.
    ?.filter((stanza) => !stanza.endsWith("-grease"));
  if (!isAgeFile(text) || stanzas === undefined) {
    const why = isAgeFile(text) ? "it is truncated" : "it is not encrypted";
    return { ...file, has: undefined, problems: [why] };
  }
  if (wants === undefined) {
    // Without a secrets.nix, the rules are elsewhere.
    const problems = isRuled ? ["no secrets.nix names it"] : [];
    return { ...file, has: [], problems };
  }
  const tagged = await Promise.all(wants.map(async (recipient) => ({
    recipient,
    stanza: recipient.startsWith("ssh-")
      ? await sshTag(recipient)
      : isOfPlugin(recipient)
      ? "plugin"
      : "X25519",
  })));
  const plugins = tagged.filter(({ stanza }) => stanza === "plugin").length;
  const known = stanzas.filter(isKnownStanza);
  const others = stanzas.length - known.length;
  const has = tagged.filter(({ stanza }) =>
    stanza === "plugin"
      ? others > 0
      : stanza !== undefined && stanzas.includes(stanza)
  );
  const differs = known.length !== wants.length - plugins ||
    (plugins === 0) !== (others === 0) || has.length !== wants.length;
  return {
    ...file,
    has: has.map(({ recipient }) => recipient),
    problems: differs
      ? [
        `it is encrypted for ${
          count(stanzas.length, "key")
        }, but secrets.nix names ${wants.length}, or other ones`,
      ]
      : [],
  };
}

const isKnownStanza = (stanza: string) =>
  stanza === "X25519" || stanza.startsWith("ssh-");
