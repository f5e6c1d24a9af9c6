/**
 * What one file of sops tells without being decrypted, as plain values that fit
 * through a message: whom it is for, and what our own reading says of its
 * values. Pure; never throws.
 *
 * @module
 */
import { guessedFormat, type SopsFormat, sopsFormat } from "../sops/formats.ts";
import { excessOf } from "../sops/excess.ts";
import { plainLeaves } from "../sops/leaves.ts";
import { readSops, type SopsFile } from "../sops/metadata.ts";
import { type KeyAnswer, keyAnswers, sealedValues } from "./installed_keys.ts";

/** What is to be read. */
export interface Asked {
  /** Its path, which says the format where nothing else does. */
  name: string;
  bytes: Uint8Array;
  /** What a manifest says; without it content and name decide. */
  format?: SopsFormat;
  /** Keys inside it that sops-nix is to install. */
  keys?: readonly string[];
  /** Whether to give what stands at these keys. */
  sealed?: true;
}

/** A file of sops. */
export interface SopsFacts extends Omit<SopsFile, "documents"> {
  /** The values that should be encrypted and are not, by name. */
  plain: readonly string[];
  /** One for each key that was asked for. */
  keys: readonly KeyAnswer[];
  /** What stands at each key, encrypted as it is, if that was asked for. */
  sealed?: readonly (string | undefined)[];
  /** Whether its content alone gave the format, and its name another one. */
  isGuess: boolean;
}

/** What came of reading. */
export type Facts =
  | SopsFacts
  /** Nothing in it is encrypted by sops. */
  | { kind: "plain"; format: SopsFormat }
  /** It has encrypted values, but nothing says for whom: it was cut off. */
  | { kind: "headless"; format: SopsFormat }
  /** It was encrypted by sops, and is no longer of its format. */
  | { kind: "broken"; format: SopsFormat; why: string }
  /** It could not be read within the time and memory that reading may take. */
  | { kind: "unread"; format: SopsFormat; why: string };

/** Reads what a file tells. */
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
