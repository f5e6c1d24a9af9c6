/**
 * What a built system decrypts when it is activated, read from its store path:
 * no second evaluation, and exactly what that system does.
 *
 * @module
 */
import { readIfThere } from "../host/files.ts";
import { type AgenixSecret, agenixSecrets } from "../tools/agenix.ts";
import {
  callsInScript,
  callsInUnit,
  readManifest,
  type SopsNixCall,
  type SopsNixManifest,
} from "../tools/sops_nix.ts";

/** What a system installs. */
export interface Installed {
  sops: readonly (SopsNixCall & { content: SopsNixManifest })[];
  agenix: readonly AgenixSecret[];
  /** Manifests that can't be read: path and why. */
  unread: readonly { path: string; why: string }[];
}

const unitFolder = "etc/systemd/system";
const sopsUnits = [
  "sops-install-secrets.service",
  "sops-install-secrets-for-users.service",
];
const agenixUnit = "agenix-install-secrets.service";

/** Reads what a system installs, in whichever mode of sops-nix and agenix. */
export async function installedSecrets(system: string): Promise<Installed> {
  const script = readIfThere(`${system}/activate`) ?? "";
  const unitOf = (name: string) =>
    readIfThere(`${system}/${unitFolder}/${name}`) ?? "";
  const calls = [
    ...callsInScript(script),
    ...sopsUnits.map(unitOf).flatMap(callsInUnit),
  ];
  const sops: (SopsNixCall & { content: SopsNixManifest })[] = [];
  const unread: { path: string; why: string }[] = [];
  for (const call of calls) {
    try {
      const content = readManifest(await Deno.readTextFile(call.manifest));
      sops.push({ ...call, content });
    } catch (error) {
      const why = (error as Error).message;
      unread.push({ path: call.manifest, why });
    }
  }
  const started = /^ExecStart=(?:\S*\s)?(\/nix\/store\/\S+)$/m
    .exec(unitOf(agenixUnit))?.[1];
  const agenix = [script, started ? readIfThere(started) ?? "" : ""]
    .flatMap(agenixSecrets);
  return { sops, agenix, unread };
}

/** All key files that a system names. */
export function identityPaths({ sops, agenix }: Installed): string[] {
  return [
    ...new Set([
      ...sops.flatMap(({ content }) => [
        ...(content.ageKeyFile ? [content.ageKeyFile] : []),
        ...content.ageSshKeyPaths,
        ...(content.gnupgHome ? [content.gnupgHome] : []),
      ]),
      ...agenix.flatMap(({ identities }) => identities),
    ]),
  ];
}
