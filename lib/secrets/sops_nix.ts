/**
 * The secrets that a built system installs with sops-nix: the manifest that
 * sops-install-secrets reads on activation.
 *
 * The names of the fields are those of sops-nix
 * (`pkgs/sops-install-secrets/main.go`, "manifest").
 *
 * @module
 */
import type { SopsFormat } from "./sops/formats.ts";

/** How a system calls sops-install-secrets. */
export interface SopsNixCall {
  /** The store path of the manifest. */
  manifest: string;
  /** Its variables, from `sops.environment`. */
  environment: Readonly<Record<string, string>>;
}

/** A secret of the manifest. */
export interface SopsNixSecret {
  name: string;
  /**
   * The path to a value, with parts separated by `/`; empty for the whole file.
   */
  key: string;
  file: string;
  format: SopsFormat;
}

/** The part of the manifest that decryption needs. */
export interface SopsNixManifest {
  secrets: readonly SopsNixSecret[];
  ageKeyFile?: string;
  /** SSH keys, converted to age ones. */
  ageSshKeyPaths: readonly string[];
  gnupgHome?: string;
  /** SSH RSA keys, converted to OpenPGP ones. */
  sshKeyPaths: readonly string[];
}

const call =
  /sops-install-secrets["']?(?:\s+-[\w=-]+)*\s+["']?(\/nix\/store\/[0-9a-z]{32}-[^\s"';]+)/g;

/**
 * Finds the calls in an activation script (`setupSecrets` and
 * `setupSecretsForUsers`), each with the exports of its snippet.
 */
export function callsInScript(script: string): SopsNixCall[] {
  return script.split(/^#### Activation script snippet /m)
    .flatMap((snippet) =>
      [...snippet.matchAll(call)].map(([, manifest]) => ({
        manifest: manifest!,
        environment: exportsIn(snippet),
      }))
    );
}

/** Finds the calls in a unit file (`sops-install-secrets.service`). */
export function callsInUnit(unit: string): SopsNixCall[] {
  const environment = Object.fromEntries(
    [...unit.matchAll(/^Environment="?([A-Za-z_]\w*)=(.*?)"?$/gm)].map((
      [, name, value],
    ) => [name!, value!]),
  );
  return [...unit.matchAll(call)].map(([, manifest]) => ({
    manifest: manifest!,
    environment,
  }));
}

/** Counts the calls from the store in a script or a unit, in whatever form. */
export function callsIn(text: string): number {
  return text.match(
    /\/nix\/store\/[0-9a-z]{32}-sops-install-secrets[\w.-]*\/bin\/sops-install-secrets/g,
  )?.length ?? 0;
}

/**
 * Reads lines such as `export N='V'`, as nixpkgs' escapeShellArg writes them.
 */
function exportsIn(snippet: string): Record<string, string> {
  return Object.fromEntries(
    [...snippet.matchAll(
      /^\s*export ([A-Za-z_]\w*)=(?:'((?:[^']|'\\'')*)'|"([^"]*)"|(\S*))/gm,
    )].map(([, name, single, double, bare]) => [
      name!,
      single?.replaceAll("'\\''", "'") ?? double ?? bare ?? "",
    ]),
  );
}

/**
 * Reads a manifest.
 *
 * @throws {SyntaxError} if it is not one.
 */
export function readManifest(text: string): SopsNixManifest {
  const manifest: Record<string, unknown> = JSON.parse(text);
  if (!Array.isArray(manifest.secrets)) {
    throw new SyntaxError("it has no list of secrets");
  }
  const ageKeyFile = textIn(manifest.ageKeyFile);
  const gnupgHome = textIn(manifest.gnupgHome);
  return {
    secrets: manifest.secrets.map(secretOf),
    ...(ageKeyFile ? { ageKeyFile } : {}),
    ageSshKeyPaths: textsIn(manifest.ageSshKeyPaths),
    ...(gnupgHome ? { gnupgHome } : {}),
    sshKeyPaths: textsIn(manifest.sshKeyPaths),
  };
}

function secretOf(secret: Record<string, unknown>): SopsNixSecret {
  const file = textIn(secret.sopsFile);
  const name = textIn(secret.name);
  if (!file || name === undefined) {
    throw new SyntaxError("one of its secrets has no name or no sopsFile");
  }
  const key = textIn(secret.key) ?? "";
  return { name, key, file, format: formatOf(textIn(secret.format)) };
}

/**
 * Returns the format; any other text counts as YAML there, whatever the file is
 * called.
 */
function formatOf(named: string | undefined): SopsFormat {
  switch (named) {
    case "json":
    case "dotenv":
    case "ini":
    case "binary":
      return named;
    default:
      return "yaml";
  }
}

const textIn = (value: unknown) =>
  typeof value === "string" ? value : undefined;

const textsIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
