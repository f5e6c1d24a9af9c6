/**
 * Splits the arguments for `nixos-rebuild build`: some hold credentials, and
 * some only work if the Nix daemon trusts the user.
 *
 * @module
 */

/** Settings that hold or name a credential. */
const credentials = ["access-tokens", "extra-access-tokens", "netrc-file"];

/** Arguments with the number of values that follow. */
const arity: Readonly<Record<string, number>> = {
  "--option": 2,
  "--override-input": 2,
  "--builders": 1,
  "--cores": 1,
  "--log-format": 1,
  "--max-jobs": 1,
  "--update-input": 1,
  "-j": 1,
};

// `ClientSettings::apply` of the Nix daemon accepts these from every user; the
// others are settings of the evaluator only.
const ofEveryone = [
  ...["build-timeout", "connect-timeout", "cores", "fallback", "keep-failed"],
  ...["keep-going", "max-jobs", "max-silent-time", "poll-interval", "timeout"],
  ...["accept-flake-config", "allow-import-from-derivation", "eval-cache"],
  ...["experimental-features", "extra-experimental-features", "flake-registry"],
  ...["log-lines", "pure-eval", "restrict-eval", "show-trace", "tarball-ttl"],
  ...["use-xdg-base-directories", "warn-dirty"],
];

/** Arguments that `nix-store --realise` also has. */
const ofBuilding = [
  ...["--builders", "--cores", "--fallback", "--keep-failed", "--keep-going"],
  ...["--max-jobs", "--option", "-K", "-j", "-k"],
];

/** Yields the arguments, each with its values. */
function* words(options: readonly string[]): Generator<string[]> {
  for (let at = 0; at < options.length;) {
    const name = options[at]!;
    const count = 1 + (arity[name] ?? (isCredential(name.slice(2)) ? 1 : 0));
    yield options.slice(at, at + count);
    at += count;
  }
}

/** Returns whether a setting holds or names a credential. */
export function isCredential(setting: string | undefined): boolean {
  return credentials.includes(setting ?? "");
}

function holdsCredential([name, setting]: readonly string[]): boolean {
  return name === "--option"
    ? isCredential(setting)
    : name!.startsWith("--") && isCredential(name!.slice(2));
}

/**
 * Returns the arguments that hold a credential. Only the fetch of the inputs
 * gets them.
 */
export function credentialOptions(options: readonly string[]): string[] {
  return [...words(options)].filter(holdsCredential).flat();
}

/** Returns the arguments without credentials. */
export function publicOptions(options: readonly string[]): string[] {
  return [...words(options)].filter((one) => !holdsCredential(one)).flat();
}

/**
 * Returns the arguments for a build by root, if one of them only works if the
 * daemon trusts the user; otherwise `undefined`. An unknown setting may be such
 * an argument.
 */
export function trustedOptions(
  options: readonly string[],
): string[] | undefined {
  const all = [...words(options)];
  const needsTrust = all.some(([name, value]) =>
    name === "--option"
      ? !ofEveryone.includes(value ?? "") && !isCredential(value)
      : name === "--builders" && value !== ""
  );
  if (!needsTrust) return undefined;
  return all.filter(([name]) => ofBuilding.includes(name!)).flat();
}
