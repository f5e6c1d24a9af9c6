/**
 * The secrets that a built system decrypts on activation, read from its store
 * path: exactly what the system does, without a second evaluation.
 *
 * @module
 */
import { count } from "../base/text.ts";
import { readAtMost, readIfThere } from "../host/files.ts";
import { type AgenixSecret, agenixSecrets, announcedIn } from "./agenix.ts";
import {
  callsIn,
  callsInScript,
  callsInUnit,
  readManifest,
  type SopsNixCall,
  type SopsNixManifest,
} from "./sops_nix.ts";

/** The secrets that a system installs. */
export interface Installed {
  sops: readonly (SopsNixCall & { content: SopsNixManifest })[];
  agenix: readonly AgenixSecret[];
  /**
   * Lists that can't be read: the path of a manifest or of the system, and why.
   */
  unread: readonly { path: string; why: string }[];
}

/** The largest manifest in bytes; some thousand secrets take a few MiB. */
const mostManifest = 32 * 1024 * 1024;

const unitFolder = "etc/systemd/system";
const sopsUnits = [
  "sops-install-secrets.service",
  "sops-install-secrets-for-users.service",
];
const agenixUnit = "agenix-install-secrets.service";

/**
 * Reads the secrets that a system installs, in each mode of sops-nix and
 * agenix.
 */
export async function installedSecrets(system: string): Promise<Installed> {
  const script = readIfThere(`${system}/activate`) ?? "";
  const unitOf = (name: string) =>
    readIfThere(`${system}/${unitFolder}/${name}`) ?? "";
  const units = sopsUnits.map(unitOf);
  const calls = [...callsInScript(script), ...units.flatMap(callsInUnit)];
  const sops: (SopsNixCall & { content: SopsNixManifest })[] = [];
  const unread: { path: string; why: string }[] = [];
  for (const call of calls) {
    try {
      const bytes = await readAtMost(call.manifest, mostManifest);
      const content = readManifest(new TextDecoder().decode(bytes));
      sops.push({ ...call, content });
    } catch (error) {
      const why = (error as Error).message;
      unread.push({ path: call.manifest, why });
    }
  }
  const started = /^ExecStart=(?:\S*\s)?(\/nix\/store\/\S+)$/m
    .exec(unitOf(agenixUnit))?.[1];
  const scripts = [script, started ? readIfThere(started) ?? "" : ""];
  const agenix = scripts.flatMap(agenixSecrets);
  unread.push(
    ...unreadProblems(system, calls.length, [script, ...units], callsIn),
  );
  unread.push(...unreadProblems(system, agenix.length, scripts, announcedIn));
  return { sops, agenix, unread };
}

/**
 * Reports that a system installs more secrets than could be read: then nothing
 * is proven.
 */
function unreadProblems(
  path: string,
  understood: number,
  texts: readonly string[],
  numberIn: (text: string) => number,
): { path: string; why: string }[] {
  const number = texts.map(numberIn).reduce((sum, one) => sum + one, 0);
  return number <= understood ? [] : [{
    path,
    why: `it installs secrets at ${
      count(number, "place")
    }, and only ${understood} of them can be read`,
  }];
}

/** Returns all key files that a system names. */
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
