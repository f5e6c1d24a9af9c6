/**
 * Problems of the files with this host's credentials for the remote. They are
 * only checked after the remote has refused them.
 *
 * @module
 */

/** Returns what to do about a token file that can't work, or `undefined`. */
export function tokenProblem(path: string): string | undefined {
  const text = readText(path);
  if (typeof text !== "string") {
    return `${path} (tokenFile) ${text.why}: put the access token into it`;
  }
  if (text.trim() === "") {
    return `${path} (tokenFile) is empty: put the access token into it`;
  }
  if (/[\r\n]/.test(text.trim())) {
    return `${path} (tokenFile) has more than one line: put only the access token into it`;
  }
  return undefined;
}

function readText(path: string): string | { why: string } {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    return {
      why: error instanceof Deno.errors.NotFound
        ? "does not exist"
        : "can't be read",
    };
  }
}
