/**
 * What can be wrong with a secret that a built system installs.
 *
 * @module
 */
import { ageStanzas } from "./age.ts";
import { isMap, type SopsFormat } from "./sops/formats.ts";
import { readSops } from "./sops/metadata.ts";
import { type Problem, quoted } from "./problems.ts";

type Format = SopsFormat | "age";

/** The file does not exist. */
export function noFile(file: string, forWhat: string): Problem {
  return {
    file,
    reason: "no-file",
    why: `${forWhat} is to come from it, but it does not exist`,
    mend: `git add ${
      quoted(file)
    }, or take the secret out of the configuration`,
  };
}

/** The file is none that could hold a secret. */
export function unreadable(
  file: string,
  forWhat: string,
  why: string,
): Problem {
  return {
    file,
    reason: "unreadable",
    why: `${forWhat} is to come from it, but ${why}`,
    mend: "name another file in sops.secrets or age.secrets",
  };
}

/** The file has nothing encrypted in it. */
export function notEncrypted(
  file: string,
  forWhat: string,
  format: Format,
): Problem {
  return {
    file,
    reason: "plaintext",
    why: `${forWhat} is to come from it, but it is not encrypted`,
    mend: format === "age"
      ? `agenix -e ${quoted(file)}`
      : `sops encrypt --in-place ${quoted(file)}`,
  };
}

/** It opens for others alone. */
export function foreignProblem(
  file: string,
  forWhat: string,
  format: Format,
  bytes: Uint8Array,
): Problem {
  const read = format === "age"
    ? undefined
    : readSops(format, new TextDecoder().decode(bytes));
  const recipients = read?.kind === "sops"
    ? read.groups.flat().map(({ name }) => name)
    : ageStanzas(new TextDecoder("latin1").decode(bytes));
  return {
    file,
    reason: "wrong-recipient",
    why: `${forWhat} is to come from it, but it is encrypted for others`,
    ...(recipients ? { recipients } : {}),
    mend: format === "age"
      ? "add this host's public key in secrets.nix, then: agenix --rekey"
      : `add this host's public key in .sops.yaml, then: sops updatekeys ${
        quoted(file)
      }`,
  };
}

/** Only Vault opens it, and the system does not hand sops the way to it. */
export function noSocket(file: string, socket: string): Problem {
  return {
    file,
    reason: "vault-not-wired",
    why:
      "only Vault opens it, but the system does not hand sops the socket that asks Vault",
    mend: `set sops.environment.VAULT_AGENT_ADDR = "unix://${socket}"`,
  };
}

/** Whether the key of a secret leads to a single value, as sops-nix wants it. */
export function keyProblem(
  file: string,
  format: SopsFormat,
  bytes: Uint8Array,
  { name, key }: { name: string; key: string },
): Problem[] {
  // From the other formats sops-nix takes the whole file.
  if (key === "" || (format !== "yaml" && format !== "json")) return [];
  const read = readSops(format, new TextDecoder().decode(bytes));
  if (read.kind !== "sops") return [];
  let value: unknown = read.documents[0];
  for (const part of key.split("/")) {
    if (!isMap(value) || !Object.hasOwn(value, part)) {
      const there = isMap(value) ? Object.keys(value) : [];
      return [{
        file,
        key,
        reason: "no-key",
        why: `secret ${name} is to come from it, but ${
          there.length > 0
            ? `there is no ${part}, only ${there.slice(0, 10).join(", ")}`
            : `there is no ${part}`
        }`,
        mend: `sops edit ${quoted(file)}, or name another key in sops.secrets`,
      }];
    }
    value = value[part];
  }
  if (typeof value !== "object" || value === null) return [];
  return [{
    file,
    key,
    reason: "not-a-value",
    why: `secret ${name} is to come from it, but it holds several values`,
    mend: 'name one of them, or the whole file with key = ""',
  }];
}

/** A file of the store as it is named in the repository, as far as that shows. */
export function shownPath(file: string): string {
  return file.replace(/^\/nix\/store\/[0-9a-z]{32}-(?:source\/)?/, "");
}
