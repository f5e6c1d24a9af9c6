/**
 * What a sops file shows without decryption, as plain values that fit into a
 * message: its recipients, and the state of its values. Pure; never throws.
 *
 * @module
 */
import { guessedFormat, type SopsFormat, sopsFormat } from "../sops/formats.ts";
import { excessOf } from "../sops/excess.ts";
import { plainLeaves } from "../sops/leaves.ts";
import { readSops, type SopsFile } from "../sops/metadata.ts";
import { type KeyAnswer, keyAnswers, sealedValues } from "./installed_keys.ts";

/** A file to read. */
export interface Asked {
  /** Its path, which gives the format if nothing else does. */
  name: string;
  bytes: Uint8Array;
  /** The format in a manifest; otherwise content and name decide. */
  format?: SopsFormat;
  /** Keys inside it that sops-nix is to install. */
  keys?: readonly string[];
  /** Whether to return the encrypted values of these keys. */
  sealed?: true;
}

/** A sops file. */
export interface SopsFacts extends Omit<SopsFile, "documents"> {
  /** The names of values that should be encrypted and are not. */
  plain: readonly string[];
  /** One answer for each requested key. */
  keys: readonly KeyAnswer[];
  /** The encrypted value of each key, if requested. */
  sealed?: readonly (string | undefined)[];
  /**
   * Whether the format comes from its content, and its name gives another one.
   */
  isGuess: boolean;
}

/** The result of reading a file. */
export type Facts =
  | SopsFacts
  /** Nothing in it is encrypted by sops. */
  | { kind: "plain"; format: SopsFormat }
  /** It has encrypted values, but no recipients: it is truncated. */
  | { kind: "headless"; format: SopsFormat }
  /** It was encrypted by sops, but is no longer valid in its format. */
  | { kind: "broken"; format: SopsFormat; why: string }
  /** It could not be read within the limits of time and memory. */
  | { kind: "unread"; format: SopsFormat; why: string };

/** Reads what a file shows. */
export function factsOf(
  { name, bytes, format: given, keys, sealed }: Asked,
): Facts {
  const text = new TextDecoder().decode(bytes);
  const isYaml = given === undefined || given === "yaml";
  const excess = excessOf(text, isYaml);
  if (excess !== undefined) {
    return { kind: "unread", format: given ?? sopsFormat(name), why: excess };
  }
  const format = given ?? guessedFormat(name, text);
  const file = readSops(format, text);
  if (file.kind === "broken") {
    return { kind: file.kind, format, why: file.why };
  }
  if (file.kind !== "sops") return { kind: file.kind, format };
  const { documents, ...told } = file;
  return {
    ...told,
    plain: plainLeaves(documents, file.rule),
    keys: keyAnswers(file, text, keys ?? []),
    ...sealed && { sealed: sealedValues(file, keys ?? []) },
    isGuess: given === undefined && format !== sopsFormat(name),
  };
}
