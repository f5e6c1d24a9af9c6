/**
 * What of the state folder `serve` may show.
 *
 * The unit of `serve` sees some folders of it and no other (nix/serve.nix), so
 * these let everybody read. The state folder itself lets nobody come so far.
 *
 * @module
 */

/** Rights of others on the state folder. */
const ofOthers = 0o077;

/**
 * Lets everybody read a file or enter a folder in the state folder, once nobody
 * but its owner may enter that.
 *
 * @throws {Error} where one of them can't be changed.
 */
export function show(stateFolder: string, path: string): void {
  const { mode } = Deno.statSync(stateFolder);
  if ((mode! & ofOthers) !== 0) Deno.chmodSync(stateFolder, 0o700);
  const { isDirectory } = Deno.lstatSync(path);
  Deno.chmodSync(path, isDirectory ? 0o755 : 0o644);
}
