/**
 * The problems of secrets that a built system installs.
 *
 * @module
 */
import { ageStanzas } from "./age.ts";
import type { Facts } from "./reading/facts.ts";
import type { KeyAnswer } from "./reading/installed_keys.ts";
import type { SopsNixSecret } from "./sops_nix.ts";
import type { SopsFormat } from "./sops/formats.ts";
import { type RecipientKind, recipientsOf } from "./sops/metadata.ts";
import { pluginFix } from "./faults.ts";
import { type Problem, quoted, type Reason } from "./problems.ts";

type Format = SopsFormat | "age";
type Secret = { name: string; format: Format };

/** Returns the problem of a missing file. */
export function noFile(file: string, forWhat: string): Problem {
  return {
    file,
    reason: "no-file",
    why: `${forWhat} uses it, but it does not exist`,
    fix: `git add ${quoted(file)}, or remove the secret from the configuration`,
  };
}

/** Returns the problem of a file that can't contain a secret. */
export function unreadable(
  file: string,
  forWhat: string,
  why: string,
): Problem {
  return {
    file,
    reason: "unreadable",
    why: `${forWhat} uses it, but ${why}`,
    fix: "use another file in sops.secrets or age.secrets",
  };
}

/** Returns the problem of a file without encrypted content. */
export function notEncrypted(
  file: string,
  forWhat: string,
  format: Format,
): Problem {
  return {
    file,
    reason: "plaintext",
    why: `${forWhat} uses it, but it is not encrypted`,
    fix: format === "age"
      ? `agenix -e ${quoted(file)}`
      : `sops encrypt --in-place ${quoted(file)}`,
  };
}

/** An age file, for its recipients. */
export interface AgeBytes {
  kind: "age";
  bytes: Uint8Array;
}

/**
 * Returns the problem of a file for others, or for a plugin that failed.
 *
 * @param read What the file shows.
 * @param said The message of the program that did not open it.
 * @param byPlugin Whether a plugin might have opened it.
 */
export function foreignProblem(
  file: string,
  forWhat: string,
  read: Facts | AgeBytes,
  said?: string,
  byPlugin = false,
): Problem {
  const named = read.kind === "sops" ? recipientsOf(read) : undefined;
  const recipients = read.kind === "age"
    ? ageStanzas(new TextDecoder("latin1").decode(read.bytes))
    : named?.map(({ name }) => name);
  const given = recipients ? { recipients } : {};
  if (byPlugin) {
    const why = `${forWhat} uses it, but the plugin of a key of this host ` +
      `does not open it${said ? `: ${said}` : ""}`;
    return { file, reason: "plugin-failed", why, ...given, fix: pluginFix };
  }
  const cloud = new Set(named?.map(({ kind }) => cloudNames[kind]));
  const isCloud = cloud.size > 0 && !cloud.has(undefined);
  const words = isCloud
    ? `: only those who may use that key of ${
      [...cloud].join(" or ")
    } can open it`
    : "";
  return {
    file,
    reason: "wrong-recipient",
    why: `${forWhat} uses it, but it is encrypted for others${words}`,
    ...given,
    fix: isCloud
      ? "let somebody who may use that key write the secret to a file for this host"
      : read.kind === "age"
      ? "add this host's public key to secrets.nix, then run: agenix --rekey"
      : `add this host's public key to .sops.yaml, then run: sops updatekeys ${
        quoted(file)
      }`,
  };
}

/** The cloud service for each kind of key. */
const cloudNames: Partial<Readonly<Record<RecipientKind, string>>> = {
  kms: "AWS KMS",
  gcp_kms: "Google Cloud KMS",
  azure_kv: "Azure Key Vault",
  hckms: "HuaweiCloud KMS",
};

/**
 * Finds files that a manifest names with two formats, which
 * sops-install-secrets refuses (sops-nix, `pkgs/sops-install-secrets/main.go`,
 * "validateSopsFile").
 */
export function formatProblems(secrets: readonly SopsNixSecret[]): Problem[] {
  const first = new Map<string, SopsNixSecret>();
  for (const secret of secrets) {
    if (!first.has(secret.file)) first.set(secret.file, secret);
  }
  return secrets.flatMap((secret) => {
    const other = first.get(secret.file)!;
    return other.format === secret.format
      ? []
      : [twoFormats(shownPath(secret.file), secret, other)];
  });
}

/** Returns the problem of a file with two formats. */
function twoFormats(
  file: string,
  { name, format }: Secret,
  other: Secret,
): Problem {
  return {
    file,
    reason: "two-formats",
    why:
      `secret ${name} reads it as ${format}, and secret ${other.name} as ${other.format}: sops-nix refuses that`,
    fix: "set the same format for both in sops.secrets",
  };
}

/**
 * Returns the problem of a file for Vault, if the system does not pass the
 * socket to sops.
 */
export function noSocket(file: string, socket: string): Problem {
  return {
    file,
    reason: "vault-not-wired",
    why:
      "only Vault opens it, but the system does not hand sops the socket that asks Vault",
    fix: `set sops.environment.VAULT_AGENT_ADDR = "unix://${socket}"`,
  };
}

/** Returns why sops-nix can't install a key; empty if it can. */
export function keyProblem(
  file: string,
  { name, key }: { name: string; key: string },
  answer: KeyAnswer,
): Problem[] {
  const cannot = `secret ${name} uses it, but`;
  const edit = `sops edit ${quoted(file)}`;
  const one = (reason: Reason, why: string, fix: string): Problem[] => [
    { file, ...(key === "" ? {} : { key }), reason, why, fix },
  ];
  switch (answer.kind) {
    case "found":
      return [];
    case "missing": {
      const { part, there } = answer;
      const others = there.length > 0 ? `, only ${there.join(", ")}` : "";
      return one(
        "no-key",
        `${cannot} there is no ${part}${others}`,
        `${edit}, or set another key in sops.secrets`,
      );
    }
    case "map":
      return one(
        "not-a-value",
        `${cannot} the key holds more than one value`,
        'set key to one of them, or to the whole file with key = ""',
      );
    case "no-text":
      return one(
        "no-text",
        `${cannot} the value is of type ${answer.type}, and sops-nix only installs strings`,
        `put the value in quotes: ${edit}`,
      );
    case "json-map":
      return one(
        "json-map",
        `${cannot} sops-nix finds nothing below ${answer.part} in JSON`,
        "move the value to the top level, or make it a YAML file",
      );
    case "unreadable":
      return one(
        "sops-nix-refuses",
        `${cannot} ${answer.why}`,
        `${edit}, or make it a YAML file`,
      );
    case "unknown":
      return one(
        "key-unread",
        `${cannot} its keys can't be read: ${answer.why}`,
        'install the whole file with key = "", or make the file simpler',
      );
  }
}

/**
 * Returns the path of a store file in the repository, as far as it is known.
 */
export function shownPath(file: string): string {
  return file.replace(/^\/nix\/store\/[0-9a-z]{32}-(?:source\/)?/, "");
}
