/**
 * The files that a built system decrypts, with the keys that it will use.
 *
 * @module
 */
import type { Run } from "../run/run.ts";
import { readKeys } from "./check.ts";
import { asAge, type Identity } from "./identities.ts";
import type { AgeProgram } from "./agenix.ts";
import type { Installed } from "./installed.ts";
import { fingerprintOf } from "./memory.ts";
import type { SecretFile } from "./opening.ts";
import type { Problem } from "./problems.ts";
import type { Keys } from "./sops/sops.ts";
import type { SopsNixManifest, SopsNixSecret } from "./sops_nix.ts";

/** The secrets of a file that are opened with the same keys. */
export interface Wanted {
  file: string;
  format: NonNullable<SecretFile["format"]>;
  secrets: { name: string; key: string }[];
  keys: Keys;
  /** The age that the system uses, if its script names one. */
  opener?: AgeProgram;
  /** Whether it passes the socket of vault-agent to sops. */
  hasSocket: boolean;
  /**
   * Whether sops-nix also makes OpenPGP keys from SSH keys, which this program
   * does not.
   */
  makesPgp: boolean;
}

/**
 * Returns the files of all manifests and lists, each once for each set of keys.
 *
 * @param problems Receives the problems of the keys.
 * @returns also whether a key that the system names is missing or can't be
 * used.
 */
export async function wantedFiles(
  run: Run,
  { sops, agenix }: Installed,
  problems: Problem[],
): Promise<{ wanted: Wanted[]; lacksKey: boolean }> {
  let lacksKey = false;
  const wanted = new Map<string, Wanted>();
  const add = (
    one: Omit<Wanted, "secrets">,
    secret: SopsNixSecret | {
      name: string;
      key: string;
    },
  ) => {
    const { file, format, keys, opener } = one;
    const by = [file, format, fingerprintOf(keys), openerText(opener)]
      .join("\0");
    const known = wanted.get(by) ?? { ...one, secrets: [] };
    known.secrets.push({ name: secret.name, key: secret.key });
    wanted.set(by, known);
  };
  for (const { content, environment } of sops) {
    const read = await sopsNixKeys(run, content, environment, problems);
    const { keys } = read;
    lacksKey ||= read.lacksKey;
    const hasSocket =
      environment.VAULT_AGENT_ADDR === `unix://${run.config["vault.socket"]}`;
    for (const secret of content.secrets) {
      const { file, format } = secret;
      const makesPgp = content.sshKeyPaths.length > 0;
      add({ file, format, keys, hasSocket, makesPgp }, secret);
    }
  }
  for (const [paths, secrets] of byIdentities(agenix)) {
    // agenix skips missing identities.
    const named = run.config["secrets.identities"];
    const listed = paths.split("\0");
    const there = await readable(listed);
    const { keys, unusable } = named
      ? await readKeys(run, named)
      : await agenixKeys(run, there);
    lacksKey ||= unusable.length > 0 ||
      (!named && there.length < listed.length);
    for (const { name, file, opener } of secrets) {
      const given = opener ? { opener } : {};
      const one = { file, format: "age" as const, keys, ...given };
      add({ ...one, hasSocket: false, makesPgp: false }, { name, key: "" });
    }
  }
  return { wanted: [...wanted.values()], lacksKey };
}

/** Returns a text that identifies a decrypting program. */
export function openerText(opener: AgeProgram | undefined): string {
  return opener ? [opener.path, ...opener.plugins].join(":") : "";
}

function byIdentities(agenix: Installed["agenix"]) {
  return Map.groupBy(agenix, ({ identities }) => identities.join("\0"));
}

/**
 * Returns all identities that agenix passes to age, in its order, even those
 * that can't be used: one bad file may stop age before it tries the others.
 */
async function agenixKeys(
  run: Run,
  paths: readonly string[],
): ReturnType<typeof readKeys> {
  const { keys, unusable } = await readKeys(run, paths);
  const read = new Map(keys.identities.map((one) => [one.path, one]));
  const identities = paths.map((path): Identity =>
    read.get(path) ?? { path, kind: "age", recipients: [] }
  );
  return { keys: { ...keys, identities }, unusable };
}

/** Returns only the keys that sops-install-secrets will have. */
async function sopsNixKeys(
  run: Run,
  manifest: SopsNixManifest,
  environment: Readonly<Record<string, string>>,
  problems: Problem[],
): Promise<{ keys: Keys; lacksKey: boolean }> {
  const named = run.config["secrets.identities"];
  if (named) {
    const { keys, unusable } = await readKeys(run, named);
    return { keys, lacksKey: unusable.length > 0 };
  }
  const { ageKeyFile, ageSshKeyPaths, gnupgHome } = manifest;
  const own = await readKeys(run, [
    ...(ageKeyFile ? [ageKeyFile] : []),
    ...(gnupgHome ? [gnupgHome] : []),
  ]);
  for (const one of own.unusable) {
    // sops-install-secrets fails if the age key file is missing, and otherwise
    // copies its content.
    const isThere = one.file === ageKeyFile && await isReadable(one.file);
    if (!isThere) problems.push(one);
  }
  // sops-nix skips SSH keys that it can't read or convert.
  const converted = await readKeys(run, ageSshKeyPaths);
  const sshKey = environment.SOPS_AGE_SSH_PRIVATE_KEY_FILE;
  const ssh = sshKey ? await readKeys(run, [sshKey]) : undefined;
  const identities = [
    ...own.keys.identities,
    ...converted.keys.identities.filter(({ kind }) => kind === "ssh").map(
      asAge,
    ),
    ...ssh?.keys.identities ?? [],
  ];
  const lacksKey = [own, converted, ...(ssh ? [ssh] : [])]
    .some(({ unusable }) => unusable.length > 0);
  return { keys: { ...own.keys, identities }, lacksKey };
}

async function isReadable(path: string): Promise<boolean> {
  try {
    using _ = await Deno.open(path);
    return true;
  } catch {
    return false;
  }
}

async function readable(paths: readonly string[]): Promise<string[]> {
  const sizes = await Promise.all(
    paths.map((path) => Deno.stat(path).then(({ size }) => size, () => 0)),
  );
  return paths.filter((_, i) => sizes[i]! > 0);
}
