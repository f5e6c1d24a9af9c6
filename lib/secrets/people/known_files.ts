/**
 * Reads the encrypted files of a checkout: whom each names, and whom the rules
 * of `.sops.yaml` and `secrets.nix` name for it.
 *
 * @module
 */
import { dirname, join, relative } from "@std/path";
import type { Effects } from "../../base/effects.ts";
import { count } from "../../base/text.ts";
import { ageStanzas, isAgeFile, sshTag } from "../age.ts";
import { nearest } from "./checkout.ts";
import { type AgeRules, readAgeRules } from "./own_age.ts";
import { type Named, namesInNix, namesInSops } from "./recipient_names.ts";
import type { KnownFile } from "./matrix.ts";
import { sopsFormat } from "../sops/formats.ts";
import { plainLeaves } from "../sops/leaves.ts";
import { readSops, recipientsOf } from "../sops/metadata.ts";
import {
  readRules,
  ruleFor,
  type SopsRules,
  wantsEncrypted,
} from "../sops/rules.ts";

/** What was found. */
export interface Found {
  files: KnownFile[];
  names: Named[];
}

/** A file's content and the rules above it. */
interface Candidate {
  path: string;
  bytes: Uint8Array;
  text: string;
}

const largest = 64 * 1024 * 1024;

/**
 * Reads those of the files that are encrypted, or should be.
 *
 * @param paths From the top of the checkout.
 * @throws {SyncError} for a `secrets.nix` that does not evaluate.
 */
export async function knownFiles(
  effects: Pick<Effects, "run">,
  top: string,
  paths: readonly string[],
): Promise<Found> {
  const reader = new RuleReader(effects, top);
  await reader.readNames();
  const files: KnownFile[] = [];
  for (const path of paths) {
    const candidate = await read(top, path);
    if (!candidate) continue;
    const { text } = candidate;
    const known = path.endsWith(".age") || isAgeFile(text)
      ? await ageFile(candidate, await reader.age(path))
      : sopsFile(candidate, await reader.sops(path));
    if (known) files.push(known);
  }
  files.push(...reader.unclear);
  return { files, names: reader.names };
}

async function read(top: string, path: string): Promise<Candidate | undefined> {
  const file = join(top, path);
  const info = await Deno.lstat(file).catch(() => undefined);
  if (!info?.isFile || info.size > largest) return undefined;
  const bytes = await Deno.readFile(file);
  return { path, bytes, text: new TextDecoder().decode(bytes) };
}

/** Reads each file of rules once. */
class RuleReader {
  readonly #named = new Map<string, Named[]>();
  #sops = new Map<string, SopsRules>();
  #age = new Map<string, AgeRules>();
  /** Files of rules that are not understood, so that nothing passes by them. */
  readonly unclear: KnownFile[] = [];

  constructor(
    readonly effects: Pick<Effects, "run">,
    readonly top: string,
  ) {}

  /** All names that were met. */
  get names(): Named[] {
    return [...this.#named.values()].flat();
  }

  /** Reads the names at the top, which count wherever one looks. */
  async readNames(): Promise<void> {
    const read = (name: string) =>
      Deno.readTextFile(join(this.top, name)).catch(() => "");
    this.#named.set(".sops.yaml", namesInSops(await read(".sops.yaml")));
    this.#named.set("secrets.nix", namesInNix(await read("secrets.nix")));
  }

  /** The rule of `.sops.yaml` for a file: its recipients, and its path there. */
  async sops(
    path: string,
  ): Promise<{ wants?: string[]; isExpected: boolean }> {
    const file = await nearest({ top: this.top, path }, ".sops.yaml");
    if (file === undefined) return { isExpected: false };
    let rules = this.#sops.get(file);
    if (!rules) {
      const text = await Deno.readTextFile(join(this.top, file));
      rules = readRules(text);
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

  /** What `secrets.nix` says for a file. */
  async age(path: string): Promise<readonly string[] | undefined> {
    const file = await nearest({ top: this.top, path }, "secrets.nix");
    if (file === undefined) return undefined;
    let rules = this.#age.get(file);
    if (!rules) {
      rules = await readAgeRules(this.effects, join(this.top, file));
      this.#age.set(file, rules);
      const text = await Deno.readTextFile(join(this.top, file));
      this.#named.set(file, namesInNix(text));
    }
    return rules.get(relative(dirname(file), path));
  }
}

/** The problem of a file that is still to be encrypted. */
export const inPlaintext =
  "it is in plaintext, and a rule of .sops.yaml wants it encrypted";

function unclearRules(path: string, why: string): KnownFile {
  const known = { has: undefined, wants: undefined, isShared: false };
  return { path, ...known, problems: [why] };
}

function sopsFile(
  { path, text }: Candidate,
  { wants, isExpected }: { wants?: string[]; isExpected: boolean },
): KnownFile | undefined {
  const read = readSops(sopsFormat(path), text);
  const file = { path, wants, isShared: false, problems: [] as string[] };
  switch (read.kind) {
    case "headless":
      return { ...file, has: undefined, problems: ["it was cut off"] };
    case "broken":
      return { ...file, has: undefined, problems: [read.why] };
    case "plain":
      if (!isExpected) return undefined;
      return {
        ...file,
        has: undefined,
        problems: [inPlaintext],
      };
    case "sops": {
      const plain = plainLeaves(read.documents, read.rule);
      return {
        ...file,
        has: recipientsOf(read).map(({ name }) => name),
        isShared: read.needed > 1,
        problems: [
          ...plain.map((name) => `${name} is in plaintext`),
          ...(read.hasMac ? [] : ["it has no MAC"]),
        ],
      };
    }
  }
}

/** The recipients of age itself are anonymous: only their number can be told. */
async function ageFile(
  { path, text, bytes }: Candidate,
  wants: readonly string[] | undefined,
): Promise<KnownFile> {
  const file = { path, wants, isShared: false };
  const stanzas = ageStanzas(new TextDecoder("latin1").decode(bytes))
    // Noise that some programs add, so that nobody relies on there being none.
    ?.filter((stanza) => !stanza.endsWith("-grease"));
  if (!isAgeFile(text) || stanzas === undefined) {
    const why = isAgeFile(text) ? "it was cut off" : "it is not encrypted";
    return { ...file, has: undefined, problems: [why] };
  }
  if (wants === undefined) {
    return { ...file, has: [], problems: ["no secrets.nix names it"] };
  }
  const tagged = await Promise.all(wants.map(async (recipient) => ({
    recipient,
    stanza: recipient.startsWith("ssh-") ? await sshTag(recipient) : "X25519",
  })));
  const has = tagged.filter(({ stanza }) =>
    stanza !== undefined && stanzas.includes(stanza)
  );
  const differs = stanzas.length !== wants.length ||
    has.length !== wants.length;
  return {
    ...file,
    has: has.map(({ recipient }) => recipient),
    problems: differs
      ? [
        `it is for ${
          count(stanzas.length, "key")
        }, and secrets.nix names ${wants.length}, or others`,
      ]
      : [],
  };
}
