/**
 * The secrets that a built system installs with agenix. Its script, in the
 * activation (`agenixInstall`) or in `agenix-install-secrets.service`, names
 * each file and the identities (agenix, `modules/age.nix`).
 *
 * @module
 */

/** A secret of the script. */
export interface AgenixSecret {
  name: string;
  /** The encrypted file. */
  file: string;
  /** The identities that open it, in the script's order. */
  identities: readonly string[];
  /** The program that decrypts it (`age.ageBin`), if it is in the store. */
  opener?: AgeProgram;
}

/** age, rage or a wrapper of one, and the folders of its plugins. */
export interface AgeProgram {
  path: string;
  /** Folders of the store that the script adds to PATH. */
  plugins: readonly string[];
}

/** Finds the secrets in a script; other text has none. */
export function agenixSecrets(script: string): AgenixSecret[] {
  const found: AgenixSecret[] = [];
  let listed: string[] = [];
  // A command may continue on the next line.
  for (const line of script.replace(/\\\n/g, " ").split("\n")) {
    const loop = /^\s*for identity in (.*?);\s*do\b/.exec(line)?.[1];
    if (loop !== undefined) listed = wordsOf(loop);
    // The program is `age`, `rage` or another `age.ageBin`.
    if (!/\s(?:--decrypt|-d)\s/.test(line) || !/\s-o\s/.test(line)) continue;
    const words = wordsOf(line);
    const file = words.at(-1);
    if (!file?.startsWith("/nix/store/")) continue;
    const given = words.flatMap((word, i) =>
      (word === "-i" || word === "--identity") && words[i + 1] !== undefined
        ? [words[i + 1]!]
        : []
    );
    const identities = given.length > 0 ? given : listed;
    const opener = openerIn(words);
    const name = nameBefore(script, file);
    found.push({ name, file, identities, ...opener ? { opener } : {} });
  }
  return found;
}

/**
 * Finds the program in a line such as `LANG=… PATH="$PATH:…"
 * /nix/store/…/bin/age`.
 */
function openerIn(words: readonly string[]): AgeProgram | undefined {
  const at = words.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
  const path = words[at];
  if (!path?.startsWith("/nix/store/")) return undefined;
  const paths = words.slice(0, at).filter((word) => word.startsWith("PATH="));
  const plugins = paths.flatMap((word) => word.slice("PATH=".length).split(":"))
    .filter((folder) => folder.startsWith("/nix/store/"));
  return { path, plugins };
}

/** Counts the secrets that a script announces to decrypt, in whatever form. */
export function announcedIn(script: string): number {
  return script.match(/^\s*echo "decrypting '/gm)?.length ?? 0;
}

/**
 * Returns the name of a secret. Two secrets of one file are both named after
 * the file.
 */
function nameBefore(script: string, file: string): string {
  const at = script.indexOf(`decrypting '${file}' to '`);
  const target = at === -1
    ? undefined
    : /^decrypting '[^']*' to '([^']*)'/.exec(script.slice(at))?.[1];
  const path = target === undefined || target.includes("$")
    ? file.replace(/\.age$/, "").replace(/^\/nix\/store\/[0-9a-z]{32}-/, "")
    : target;
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Returns the words of a shell line, without their quotes. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)]
    .map(([word]) => word.replace(/["']/g, ""));
}
