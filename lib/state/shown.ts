/**
 * The parts of the state folder that `serve` may show.
 *
 * The unit of `serve` only sees some of its folders (nix/serve.nix), so
 * everybody may read these. Other users can't reach them, because they may not
 * enter the state folder itself.
 *
 * @module
 */

/** Permissions of group and others on the state folder. */
const ofOthers = 0o077;

/**
 * Lets everybody read a file or enter a folder in the state folder. First
 * ensures that only its owner may enter the state folder itself.
 *
 * @throws {Error} if one of them can't be changed.
 */
export function show(stateFolder: string, path: string): void {
  const { mode } = Deno.statSync(stateFolder);
  if ((mode! & ofOthers) !== 0) Deno.chmodSync(stateFolder, 0o700);
  const { isDirectory } = Deno.lstatSync(path);
  Deno.chmodSync(path, isDirectory ? 0o755 : 0o644);
}
